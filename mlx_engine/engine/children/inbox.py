"""The requests that wait in a worker, and the one that is being served: where its two threads meet."""

import threading
from collections import deque

from mlx_engine.protocol import Generate, Load


class Inbox:
    """First come, first served. One thread puts and cancels, another one takes."""

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
        """Wait for the next request and return it; from now on it is the one that is served."""
        with self._changed:
            self._current = None
            self._changed.wait_for(lambda: self._waiting)
            self._current = self._waiting.popleft()
            self._cancelled = False
            return self._current

    def cancel(self, id: str) -> Load | Generate | None:
        """Stop the request `id`. Return it if the caller must answer for it: if it was waiting, or is a load.

        A Generate that is being served is marked, and answers for itself. Unknown ids are ignored.
        """
        with self._changed:
            if self._current is not None and self._current.id == id:
                self._cancelled = True
                return self._current if isinstance(self._current, Load) else None
            found = next((request for request in self._waiting if request.id == id), None)
            if found is not None:
                self._waiting.remove(found)
            return found

    def is_cancelled(self) -> bool:
        """Return whether the request that is being served was cancelled."""
        return self._cancelled

    def drain(self) -> list[Load | Generate]:
        """Remove and return all that wait."""
        with self._changed:
            waiting = list(self._waiting)
            self._waiting.clear()
            return waiting
