"""Compares the speed of Facet's download job with `huggingface_hub.snapshot_download`, from a Hub on loopback.

    python -m tests.benchmarks.download [--megabytes 1000] [--files 4] [--runs 7]

Both are complete processes in alternation, each with an empty cache; the Hub is a third process. Facet verifies the
SHA-256 of every file, `snapshot_download` does not. The first pair warms up the disk and is not counted. CPU times show
whether the computer was busy. Goal: a median ratio of at least 0.9.
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
GOAL = 0.9


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_repository(folder / "repository", options.megabytes, options.files)
        with serving(folder / "repository") as endpoint:
            os.environ |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home"), "HF_HUB_DISABLE_TELEMETRY": "1"}
            ratios = [compare(folder, size, ours_first=run % 2 == 0) for run in range(options.runs + 1)][1:]
    median = statistics.median(ratios)
    print(f"Facet / snapshot_download: median {median:.2f} of {options.runs}, goal ≥ {GOAL}")
    return 0 if median >= GOAL else 1


def compare(folder: Path, size: int, *, ours_first: bool) -> float:
    """Run both once; return the ratio of their speeds."""
    sides = {"ours": lambda: download_with_facet(folder), "theirs": download_with_library}
    costs = {side: measure(sides[side], folder) for side in sorted(sides, reverse=not ours_first)}
    ours, theirs = costs["ours"], costs["theirs"]
    print(
        f"  Facet {size / ours.wall_s / 1e6:.0f} MB/s in {ours.cpu_s:.1f} s of CPU time, "
        f"snapshot_download {size / theirs.wall_s / 1e6:.0f} MB/s in {theirs.cpu_s:.1f} s: "
        f"{theirs.wall_s / ours.wall_s:.2f}",
        flush=True,
    )
    return theirs.wall_s / ours.wall_s


@dataclass(frozen=True, slots=True)
class Cost:
    wall_s: float
    cpu_s: float


def measure(download: Callable[[], None], folder: Path) -> Cost:
    shutil.rmtree(folder / "home", ignore_errors=True)
    os.sync()
    before, started = children_cpu_s(), time.perf_counter()
    download()
    return Cost(time.perf_counter() - started, children_cpu_s() - before)


def children_cpu_s() -> float:
    """Return the CPU time of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def download_with_facet(folder: Path) -> None:
    events: queue.SimpleQueue[JobEvent] = queue.SimpleQueue()
    client = start_job(events.put, logs=folder / "logs")
    client.send(Download(id="a", repository=REPOSITORY))
    while not isinstance(event := events.get(), Downloaded):
        if isinstance(event, RequestFailed):
            raise SystemExit(f"{event.title}: {event.message}")
    client.close()
    client.join(10)


def download_with_library() -> None:
    program = f"from huggingface_hub import snapshot_download; snapshot_download({REPOSITORY!r})"
    environment = {**os.environ, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def write_repository(folder: Path, megabytes: int, files: int) -> int:
    """Write a model with random weight files; return the size of all files."""
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
    """Serve `folder` from a Hub in a child process; yield its URL. The rate 0 is unlimited."""
    command = [sys.executable, "-m", "tests.hub", REPOSITORY, str(folder), str(bytes_per_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hub:
        assert hub.stdout is not None
        yield hub.stdout.readline().strip()
        hub.communicate()


if __name__ == "__main__":
    sys.exit(main())
