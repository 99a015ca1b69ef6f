"""Work in short slices while the event loop has nothing else to do. Knows nothing about the work itself."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

from PySide6.QtCore import QObject, QTimer
from shiboken6 import isValid

SLICE_S = 0.005
"""Longest slice before the event loop gets its turn: a third of a frame."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    steps: Iterator[None]
    owner: QObject


class IdleQueue(QObject):
    """Runs jobs one step at a time, the oldest first. A job is an iterator; a step takes a few milliseconds at most.
    A job ends early when Qt has deleted its owner.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: deque[_Job] = deque()
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._run_slice)

    def add(self, steps: Iterator[None], owner: QObject, *, is_urgent: bool = False) -> None:
        """Run `steps` in idle slices, before all other jobs if urgent."""
        if is_urgent:
            self._jobs.appendleft(_Job(steps, owner))
        else:
            self._jobs.append(_Job(steps, owner))
        self._timer.start()

    def drop(self, steps: Iterator[None]) -> None:
        """Remove the job with these steps, if it is still waiting."""
        self._jobs = deque(job for job in self._jobs if job.steps is not steps)

    def finish(self) -> None:
        """Run all jobs to their end now."""
        while self._jobs:
            self._step()

    def _run_slice(self) -> None:
        end = perf_counter() + SLICE_S
        while self._jobs and perf_counter() < end:
            self._step()
        if not self._jobs:
            self._timer.stop()

    def _step(self) -> None:
        job = self._jobs[0]
        has_ended = not isValid(job.owner) or next(job.steps, self) is self
        if has_ended and self._jobs and self._jobs[0] is job:
            self._jobs.popleft()
