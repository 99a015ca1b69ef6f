"""Work that can wait: done in short slices while the event loop has nothing else to do. Knows nothing of the work."""

from collections import deque
from collections.abc import Iterator
from time import perf_counter

from PySide6.QtCore import QObject, QTimer

SLICE_S = 0.005
"""How long one slice may take before the event loop has its turn: a third of a frame."""


class IdleQueue(QObject):
    """Runs iterators a step at a time, the oldest first. A step should take a few milliseconds at most."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: deque[Iterator[None]] = deque()
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._slice)

    @property
    def is_empty(self) -> bool:
        return not self._jobs

    def add(self, job: Iterator[None]) -> None:
        """Run `job` to its end, by and by."""
        self._jobs.append(job)
        self._timer.start()

    def drop(self, job: Iterator[None]) -> None:
        """Forget `job`, if it is still there."""
        if job in self._jobs:
            self._jobs.remove(job)

    def finish(self) -> None:
        """Run everything to its end now."""
        while self._jobs:
            self._step()

    def _slice(self) -> None:
        end = perf_counter() + SLICE_S
        while self._jobs and perf_counter() < end:
            self._step()
        if not self._jobs:
            self._timer.stop()

    def _step(self) -> None:
        job = self._jobs[0]
        if next(job, self) is self and self._jobs and self._jobs[0] is job:
            self._jobs.popleft()
