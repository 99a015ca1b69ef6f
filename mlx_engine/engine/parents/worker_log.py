"""The log of a child process: its standard error in a file of bounded size, the last lines in memory."""

import contextlib
import threading
from collections import deque
from pathlib import Path
from typing import IO

LARGEST_BYTES = 1_000_000
TAIL_LINES = 40
LONGEST_LINE = 2_000


class WorkerLog:
    """A log file that is moved to `<name>.1` when full, so that the two together stay below 2 MB.

    A full or read-only disk never stops the caller, and the tail is kept in memory anyway. Safe from any thread.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        """Add one line, truncated if it is very long."""
        line = line.rstrip()[:LONGEST_LINE]
        with self._lock:
            self._tail.append(line)
            with contextlib.suppress(OSError):
                self._write_to_file(line)

    def drain(self, stream: IO[bytes]) -> None:
        """Write all lines of `stream` until it ends, and close it; an endless line is written in pieces."""
        with stream:
            while line := stream.readline(LONGEST_LINE):
                self.write(line.decode("utf-8", "replace"))

    def tail(self) -> str:
        """Return the last lines."""
        with self._lock:
            return "\n".join(self._tail)

    def _write_to_file(self, line: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            full = file.tell() > LARGEST_BYTES
        if full:
            self._path.replace(self._path.with_name(self._path.name + ".1"))
