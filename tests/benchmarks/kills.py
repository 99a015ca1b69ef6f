"""Kills conversions at random moments, and looks what they leave: `python -m tests.benchmarks.kills [TIMES]`.

Both processes of `facet convert` get signal 9 at once, so that neither can put anything in order. After each kill the
library must show no broken model; the start of the next conversion must clear what is left, and that one succeed.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from mlx_engine.models.files import staging
from mlx_engine.models.library import library
from mlx_engine.models.library.locations import Root
from tests import tiny_models
from tests.model_folders import write_llama


def main(times: int) -> None:
    """Print a line for each kill, and the sum."""
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([sys.executable, str(Path(tiny_models.__file__)), f"{home}/tiny"], check=True)
        source = write_llama(Path(home) / "maker" / "large", Path(home) / "tiny" / "llama")
        models = Path(home) / "facet" / "models"
        environment = {**os.environ, "FACET_HOME": f"{home}/facet"}
        whole_s = _run(source, environment, None)
        shutil.rmtree(models)
        broken = littered = succeeded = 0
        generator = random.Random()  # noqa: S311 - for moments, not for secrets
        for number in range(1, times + 1):
            after_s = generator.uniform(0, whole_s)
            _run(source, environment, after_s)
            rows = library.scan([Root("facet", models)]).rows
            wrong = [row.id for row in rows if hasattr(row, "problem")]
            left = [path.name for path in models.rglob("*.partial")]
            staging.sweep(models)
            litter = [path.name for path in models.rglob("*.partial")]
            broken, littered = broken + bool(wrong), littered + bool(litter)
            done = "whole" if rows else "nothing"
            print(
                f"{number:3}  after {after_s:5.2f} s: {done}, left {left or 'nothing'}, swept to {litter or 'nothing'}"
            )
            if not rows:
                _run(source, environment, None)
            succeeded += len(library.scan([Root("facet", models)]).rows) == 1
            shutil.rmtree(models, ignore_errors=True)
    print(
        f"{times} kills within {whole_s:.1f} s: {broken} broken rows, {littered} times litter; "
        f"{succeeded} times the next run made the model, or it was whole already"
    )


def _run(source: Path, environment: dict[str, str], after_s: float | None) -> float:
    """Convert, and end it by force after so many seconds; return how long it took."""
    command = [sys.executable, "-m", "mlx_engine", "convert", str(source), "--recipe", "mxfp4"]
    began = time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as child:
        try:
            child.wait(after_s)
        except subprocess.TimeoutExpired:
            both = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
            for process in both:
                process.send_signal(signal.SIGKILL)
            psutil.wait_procs(both)
    return time.monotonic() - began


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
