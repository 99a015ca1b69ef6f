"""Lets transfers in threads go on, stand still or end."""

import contextlib
import threading
from collections.abc import Iterator


class Gate(threading.Event):
    """Set, it ends transfers. Those who ask stand still while it is shut."""

    def __init__(self) -> None:
        super().__init__()
        self._open = threading.Event()
        self._open.set()

    def is_set(self) -> bool:
        self._open.wait()
        return super().is_set()

    @contextlib.contextmanager
    def pause(self) -> Iterator[None]:
        """Let everything stand still meanwhile."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()
