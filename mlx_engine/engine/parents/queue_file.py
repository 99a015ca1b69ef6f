"""The file that keeps the queue of jobs, so that a restart goes on where it was: requests, and which are paused."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from mlx_engine.engine.values.job_kinds import QueuedRequest
from mlx_engine.models.files.json_value import read_value
from mlx_engine.models.files.staging import write_whole

FILE_NAME = "jobs.json"


class Entry(msgspec.Struct, frozen=True):
    """A job as the file has it."""

    request: QueuedRequest
    paused: bool


def read(file: Path) -> list[Entry]:
    """Return what was left in the queue; a file that cannot be read is an empty one."""
    return read_value(file, list[Entry]) or []


def write(file: Path, entries: Iterable[Entry]) -> None:
    """Replace the file. A disk that takes none does not stop a job; the queue then ends with this process."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, msgspec.json.encode(list(entries)))
