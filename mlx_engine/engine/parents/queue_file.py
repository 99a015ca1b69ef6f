"""The file with the queue of jobs, for resuming after a restart: requests, and which of them are paused."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from mlx_engine.engine.values.job_kinds import QueuedRequest
from mlx_engine.models.files.json_value import read_value
from mlx_engine.models.files.staging import write_whole

FILE_NAME = "jobs.json"


class Entry(msgspec.Struct, frozen=True):
    """A job in the file."""

    request: QueuedRequest
    paused: bool


def read(file: Path) -> list[Entry]:
    """Return the queue of the last run; empty if the file cannot be read."""
    return read_value(file, list[Entry]) or []


def write(file: Path, entries: Iterable[Entry]) -> None:
    """Replace the file. Jobs run even if it cannot be written; the queue then ends with this process."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, msgspec.json.encode(list(entries)))
