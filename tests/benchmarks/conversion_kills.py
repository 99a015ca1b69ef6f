"""Kills conversions at random moments and checks the remaining files.

    python -m tests.benchmarks.conversion_kills [TIMES]

Both processes of `facet convert` are killed by signal 9 at the same moment, so that neither can clean up. After each
kill, the library must not list a damaged model, and the next conversion must remove the partial files and succeed.
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
    """Print a line for each kill, and a summary."""
    with tempfile.TemporaryDirectory() as home:
        subprocess.run([sys.executable, str(Path(tiny_models.__file__)), f"{home}/tiny"], check=True)
        source = write_llama(Path(home) / "maker" / "large", Path(home) / "tiny" / "llama")
        models = Path(home) / "facet" / "models"
        environment = {**os.environ, "FACET_HOME": f"{home}/facet"}
        whole_s = _run(source, environment, None)
        shutil.rmtree(models)
        damaged = littered = succeeded = 0
        generator = random.Random()  # noqa: S311 - not a secret
        for number in range(1, times + 1):
            after_s = generator.uniform(0, whole_s)
            _run(source, environment, after_s)
            rows = library.scan([Root("facet", models)]).rows
            problems = [row.id for row in rows if hasattr(row, "problem")]
            partial = [path.name for path in models.rglob("*.partial")]
            staging.sweep(models)
            remaining = [path.name for path in models.rglob("*.partial")]
            damaged, littered = damaged + bool(problems), littered + bool(remaining)
            outcome = "complete" if rows else "no model"
            print(
                f"{number:3}  after {after_s:5.2f} s: {outcome}, partial {partial or 'none'}, "
                f"after cleanup {remaining or 'none'}"
            )
            if not rows:
                _run(source, environment, None)
            succeeded += len(library.scan([Root("facet", models)]).rows) == 1
            shutil.rmtree(models, ignore_errors=True)
    print(
        f"{times} kills within {whole_s:.1f} s: {damaged} damaged models, {littered} times remaining files; "
        f"{succeeded} times complete, at once or after the next run"
    )


def _run(source: Path, environment: dict[str, str], after_s: float | None) -> float:
    """Convert, and kill the processes after `after_s` seconds; return the seconds it took."""
    command = [sys.executable, "-m", "mlx_engine", "convert", str(source), "--recipe", "mxfp4"]
    start = time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as child:
        try:
            child.wait(after_s)
        except subprocess.TimeoutExpired:
            processes = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
            for process in processes:
                process.send_signal(signal.SIGKILL)
            psutil.wait_procs(processes)
    return time.monotonic() - start


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
