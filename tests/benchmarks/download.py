"""The rate of Facet's download job ÷ that of `huggingface_hub.snapshot_download` alone, from the loopback Hub.

    python -m tests.benchmarks.download [--megabytes 1000] [--files 4] [--runs 7]

Both are processes of their own, timed from their start to their end, in turns, each into an empty cache; the Hub is a
third one. Facet's side verifies the SHA-256 of every file, the other one does not. The first pair warms the disk up and
does not count. The processor time of each tells what the machine was too busy for. Aim: the median ratio ≥ 0.9.
"""

import argparse
import os
import queue
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mlx_engine.engine.parents.job_client import start_job
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import Download, Downloaded
from mlx_engine.protocol import RequestFailed

REPOSITORY = "owner/large"
AIM = 0.9


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--megabytes", type=int, default=1000)
    options.add_argument("--files", type=int, default=4)
    options.add_argument("--runs", type=int, default=7)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_repository(folder / "repository", chosen.megabytes, chosen.files)
        with serving(folder / "repository") as endpoint:
            os.environ |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_TELEMETRY": "1"}
            ratios = [compare(folder, size, ours_first=run % 2 == 0) for run in range(chosen.runs + 1)][1:]
    median = statistics.median(ratios)
    print(f"Facet ÷ snapshot_download: median {median:.2f} of {chosen.runs}, aim ≥ {AIM}")
    return 0 if median >= AIM else 1


def compare(folder: Path, size: int, *, ours_first: bool) -> float:
    """Run both once; return the ratio of their rates."""
    sides = {"ours": lambda: by_facet(folder), "theirs": by_snapshot_download}
    taken = {side: timed(sides[side], folder) for side in sorted(sides, reverse=not ours_first)}
    ours, theirs = taken["ours"], taken["theirs"]
    print(
        f"  Facet {size / ours.wall_s / 1e6:.0f} MB/s in {ours.processor_s:.1f} s of processor time, "
        f"snapshot_download {size / theirs.wall_s / 1e6:.0f} MB/s in {theirs.processor_s:.1f} s: "
        f"{theirs.wall_s / ours.wall_s:.2f}",
        flush=True,
    )
    return theirs.wall_s / ours.wall_s


@dataclass(frozen=True, slots=True)
class Taken:
    wall_s: float
    processor_s: float


def timed(download: Callable[[], None], folder: Path) -> Taken:
    shutil.rmtree(folder / "home", ignore_errors=True)
    os.sync()
    before, started = processor_s(), time.perf_counter()
    download()
    return Taken(time.perf_counter() - started, processor_s() - before)


def processor_s() -> float:
    """Return the processor time of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def by_facet(folder: Path) -> None:
    events: queue.SimpleQueue[JobEvent] = queue.SimpleQueue()
    client = start_job(events.put, logs=folder / "logs")
    client.send(Download(id="a", repository=REPOSITORY))
    while not isinstance(event := events.get(), Downloaded):
        if isinstance(event, RequestFailed):
            raise SystemExit(f"{event.title}: {event.message}")
    client.close()
    client.join(10)


def by_snapshot_download() -> None:
    program = f"from huggingface_hub import snapshot_download; snapshot_download({REPOSITORY!r})"
    environment = {**os.environ, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def write_repository(folder: Path, megabytes: int, files: int) -> int:
    """Write a model of so many weight files of random bytes; return the size of all files."""
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text("{}")
    for number in range(1, files + 1):
        with (folder / f"model-{number:05}-of-{files:05}.safetensors").open("wb") as file:
            for _ in range(megabytes // files):
                file.write(os.urandom(1_000_000))
    return sum(file.stat().st_size for file in folder.iterdir())


@contextmanager
def serving(folder: Path, bytes_per_s: int = 0) -> Iterator[str]:
    """Serve `folder` by a Hub in a process of its own; give its address. 0 is as fast as it can."""
    command = [sys.executable, "-m", "tests.hub", REPOSITORY, str(folder), str(bytes_per_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        yield hub.stdout.readline().strip()
        hub.communicate()


if __name__ == "__main__":
    sys.exit(main())
