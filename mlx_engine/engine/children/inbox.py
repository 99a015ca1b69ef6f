"""The requests a worker has to serve, shared by its two threads."""

import threading
from collections import deque

from mlx_engine.protocol import Generate, Load


class Inbox:
    """A first-in, first-out queue that also knows the current request. One thread puts and cancels, another takes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Load | Generate] = deque()
        self._current: Load | Generate | None = None
        self._cancelled = False

    def put(self, request: Load | Generate) -> None:
        with self._changed:
            self._waiting.append(request)
            self._changed.notify()

    def take(self) -> Load | Generate:
        """Wait for the next request and return it; it becomes the current one."""
        with self._changed:
            self._current = None
            self._changed.wait_for(lambda: self._waiting)
            self._current = self._waiting.popleft()
            self._cancelled = False
            return self._current

    def cancel(self, id: str) -> Load | Generate | None:
        """Cancel the request `id`. Return it if the caller has to report its end: a waiting request, or a load.

        A Generate that is being served is marked, and reports its own end. Unknown ids are ignored.
        """
        with self._changed:
            if self._current is not None and self._current.id == id:
                self._cancelled = True
                return self._current if isinstance(self._current, Load) else None
            waiting = next((request for request in self._waiting if request.id == id), None)
            if waiting is not None:
                self._waiting.remove(waiting)
            return waiting

    def is_cancelled(self) -> bool:
        """Return True once the current request is canceled."""
        return self._cancelled

    def drain(self) -> list[Load | Generate]:
        """Remove and return all waiting requests."""
        with self._changed:
            waiting = list(self._waiting)
            self._waiting.clear()
            return waiting
