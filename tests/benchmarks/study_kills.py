"""Kills studies at random moments, and looks what they leave: `python -m tests.benchmarks.study_kills [TIMES]`.

`facet lab run` works on a tiny model and some of its quantizations, in real processes. At random moments the command
and its job process get signal 9, mostly both at once, sometimes only one of them; then the same command is given again,
until the study is whole. In the end its figures must be those of a study that nobody disturbed, to the last bit;
nothing half done may be left; and no chunk of answers, model or result that was there may have been made again.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psutil

from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study_file import load_study
from tests import tiny_models

_recipes = ("8bit", "4bit", "mxfp4")
_whom = ("both", "both", "both", "command", "job")


def main(times: int) -> None:
    """Print a line for each kill, what was found of each study, and the sum."""
    generator = random.Random()  # noqa: S311 - for moments, not for secrets
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        subprocess.run([sys.executable, str(Path(tiny_models.__file__)), f"{root}/tiny"], check=True)
        plan = _write_plan(root)
        undisturbed = _Home(root / "undisturbed", plan)
        whole_s = undisturbed.run()
        figures, kills, faults = undisturbed.figures(), 0, Counter[str]()
        number = 0
        while kills < times:
            number += 1
            home = _Home(root / f"home-{number}", plan)
            while not home.is_whole:
                kills += home.run_and_kill(generator.choice(_whom), generator.uniform(0, whole_s / 2))
                faults += home.look()
            faults += Counter({"other figures": home.figures() != figures, "left over": bool(home.left_over())})
            print(f"study {number} is whole after {home.kills} kills; left over: {home.left_over() or 'nothing'}")
            shutil.rmtree(home.path)
    told = ", ".join(f"{count} {what}" for what, count in faults.items() if count) or "nothing wrong"
    print(f"{kills} kills in {number} studies of {whole_s:.0f} s: {told}")
    sys.exit(bool(+faults))


def _write_plan(root: Path) -> Path:
    text = root / "text.txt"
    text.write_text("The tide comes in twice a day, and takes back what it has left behind. " * 100)
    plan = StudyPlan(
        name="kills",
        original=str(root / "tiny" / "llama"),
        candidates=(str(root / "tiny" / "llama-4bit"),),
        recipes=_recipes,
        corpus=CorpusSource(path=str(text)),
        convention=Convention(chunk_tokens=64),
        limit_tokens=0,
        speed=None,
    )
    file = root / "plan.json"
    file.write_bytes(msgspec.json.encode(plan))
    return file


@dataclass(slots=True)
class _Home:
    """A home in which the study is run, and the times of the files in it that are not to be made again."""

    path: Path
    plan: Path
    kills: int = 0
    is_whole: bool = False
    seen: dict[Path, int] = field(default_factory=dict)

    def run(self) -> float:
        """Run the study to its end; return how long it took."""
        began = time.monotonic()
        with self._started() as child:
            child.wait()
        self.is_whole = child.returncode == 0
        return time.monotonic() - began

    def run_and_kill(self, whom: str, after_s: float) -> int:
        """Run the study, and kill `whom` after a time; return how many kills that were: none if it was faster."""
        with self._started() as child:
            try:
                child.wait(after_s)
            except subprocess.TimeoutExpired:
                command = psutil.Process(child.pid)
                jobs = command.children(recursive=True)
                killed = {"both": [command, *jobs], "command": [command], "job": jobs}[whom]
                for process in killed:
                    process.send_signal(signal.SIGKILL)
                child.wait()
                left = psutil.wait_procs(jobs, timeout=10)[1]
                self.kills += 1
                print(f"  {whom} after {after_s:4.1f} s: {self._so_far()}; {len(left)} processes left")
                self.is_whole = whom == "job" and child.returncode == 0
                return 1
        self.is_whole = child.returncode == 0
        return 0

    def look(self) -> Counter[str]:
        """Return what is wrong: files that were whole and have been written again since."""
        again = 0
        for file in self._lasting():
            time_ns = file.stat().st_mtime_ns
            again += self.seen.setdefault(file, time_ns) != time_ns
        return Counter({"made again": again})

    def figures(self) -> dict[str, bytes]:
        """Return what was measured of each model, as it is kept."""
        study = load_study("kills", self.path / "studies")
        return {
            row.label: msgspec.json.encode([(one.fidelity, one.by_kind, one.kl_counts, one.worst)])
            for row in study.rows
            for one in row.fidelity
        }

    def left_over(self) -> list[str]:
        return [file.name for pattern in ("*.partial*", "*.running", "*.tmp") for file in self.path.rglob(pattern)]

    def _lasting(self) -> Iterator[Path]:
        for pattern in (
            "references/*/chunk-?????",
            "measurements/fidelity/*/*/result.json",
            "models/*/*/*.safetensors",
        ):
            yield from (file for file in self.path.glob(pattern) if not file.parent.name.endswith(".partial"))

    def _so_far(self) -> str:
        there = Counter("chunks" if "chunk" in file.name else file.suffix[1:] for file in self._lasting())
        return (
            f"{there['chunks']} chunks, {there['safetensors']} models, {there['json']} results; "
            f"{', '.join(self.left_over()) or 'nothing'} half done"
        )

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "mlx_engine", "lab", "run", str(self.plan), "--json"]
        environment = {**os.environ, "FACET_HOME": str(self.path)}
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
