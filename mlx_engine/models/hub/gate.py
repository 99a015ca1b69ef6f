"""Pauses, resumes and stops transfers in threads."""

import contextlib
import threading
from collections.abc import Iterator


class Gate(threading.Event):
    """An event that stops transfers when set. While paused, `is_set` blocks, so that transfers wait."""

    def __init__(self) -> None:
        super().__init__()
        self._open = threading.Event()
        self._open.set()

    def is_set(self) -> bool:
        self._open.wait()
        return super().is_set()

    @contextlib.contextmanager
    def pause(self) -> Iterator[None]:
        """Pause all transfers within the context."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()
