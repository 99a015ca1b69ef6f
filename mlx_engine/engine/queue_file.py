"""The file that keeps the queue of jobs, so that a restart goes on where it was: requests, and which are paused."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from mlx_engine.engine.job_kinds import QueuedRequest
from mlx_engine.errors import FacetError

FILE_NAME = "jobs.json"


class Entry(msgspec.Struct, frozen=True):
    """A job as the file has it."""

    request: QueuedRequest
    paused: bool


def read(file: Path) -> list[Entry]:
    """Return what was left in the queue; a file that cannot be read is an empty one."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Entry])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, FacetError):
        return []


def write(file: Path, entries: Iterable[Entry]) -> None:
    """Replace the file. A disk that takes none does not stop a job; the queue then ends with this process."""
    beside = file.with_suffix(".tmp")
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(msgspec.json.encode(list(entries)))
        beside.replace(file)
