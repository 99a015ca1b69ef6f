"""Kills studies at random moments and checks their results and files.

    python -m tests.benchmarks.study_kills [TIMES]

`facet lab run` measures a tiny model and some quantizations in real processes. At random moments, the command, its job
process, or mostly both are killed by signal 9; then the same command runs again, until the study is complete. Its
figures must be bitwise equal to those of an undisturbed study, without remaining partial files, and no completed chunk
of predictions, model or result may be created again.
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

_RECIPES = ("8bit", "5bit", "mxfp4")
_VICTIMS = ("both", "both", "both", "command", "job")


def main(times: int) -> None:
    """Print a line for each kill and each study, and a summary."""
    generator = random.Random()  # noqa: S311 - not a secret
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
            while not home.is_complete:
                kills += home.run_and_kill(generator.choice(_VICTIMS), generator.uniform(0, whole_s / 2))
                faults += home.count_recreated()
            partial = home.partial_files()
            faults += Counter({"different figures": home.figures() != figures, "partial files": bool(partial)})
            print(f"study {number} complete after {home.kills} kills; partial files: {partial or 'none'}")
            shutil.rmtree(home.path)
    summary = ", ".join(f"{count} {fault}" for fault, count in faults.items() if count) or "no faults"
    print(f"{kills} kills in {number} studies of {whole_s:.0f} s: {summary}")
    sys.exit(bool(+faults))


def _write_plan(root: Path) -> Path:
    text = root / "text.txt"
    text.write_text("The tide comes in twice a day, and takes back what it has left behind. " * 100)
    plan = StudyPlan(
        name="kills",
        original=str(root / "tiny" / "llama"),
        candidates=(str(root / "tiny" / "llama-4bit"),),
        recipes=_RECIPES,
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
    """A home folder for the study, with the modification times of its completed files."""

    path: Path
    plan: Path
    kills: int = 0
    is_complete: bool = False
    times_ns: dict[Path, int] = field(default_factory=dict)

    def run(self) -> float:
        """Run the study; return the seconds it took."""
        start = time.monotonic()
        with self._start() as child:
            child.wait()
        self.is_complete = child.returncode == 0
        return time.monotonic() - start

    def run_and_kill(self, victim: str, after_s: float) -> int:
        """Run the study and kill `victim` after `after_s` seconds; return the number of kills: 0 if it ended before."""
        with self._start() as child:
            try:
                child.wait(after_s)
            except subprocess.TimeoutExpired:
                command = psutil.Process(child.pid)
                jobs = command.children(recursive=True)
                processes = {"both": [command, *jobs], "command": [command], "job": jobs}[victim]
                for process in processes:
                    process.send_signal(signal.SIGKILL)
                child.wait()
                survivors = psutil.wait_procs(jobs, timeout=10)[1]
                self.kills += 1
                print(f"  {victim} after {after_s:4.1f} s: {self._progress()}; {len(survivors)} processes left")
                self.is_complete = victim == "job" and child.returncode == 0
                return 1
        self.is_complete = child.returncode == 0
        return 0

    def count_recreated(self) -> Counter[str]:
        """Return the number of completed files that were written again."""
        count = 0
        for file in self._completed_files():
            time_ns = file.stat().st_mtime_ns
            count += self.times_ns.setdefault(file, time_ns) != time_ns
        return Counter({"recreated files": count})

    def figures(self) -> dict[str, bytes]:
        """Return the saved figures of each model."""
        study = load_study("kills", self.path / "studies")
        return {
            row.label: msgspec.json.encode([(result.fidelity, result.by_kind, result.kl_counts, result.worst)])
            for row in study.rows
            for result in row.fidelity
        }

    def partial_files(self) -> list[str]:
        return [file.name for pattern in ("*.partial*", "*.running", "*.tmp") for file in self.path.rglob(pattern)]

    def _completed_files(self) -> Iterator[Path]:
        for pattern in (
            "references/*/chunk-?????",
            "measurements/fidelity/*/*/result.json",
            "models/*/*/*.safetensors",
        ):
            yield from (file for file in self.path.glob(pattern) if not file.parent.name.endswith(".partial"))

    def _progress(self) -> str:
        counts = Counter("chunks" if "chunk" in file.name else file.suffix[1:] for file in self._completed_files())
        return (
            f"{counts['chunks']} chunks, {counts['safetensors']} models, {counts['json']} results; "
            f"partial: {', '.join(self.partial_files()) or 'none'}"
        )

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "mlx_engine", "lab", "run", str(self.plan), "--json"]
        environment = {**os.environ, "FACET_HOME": str(self.path)}
        return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
