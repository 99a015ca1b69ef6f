"""Counts of jobs by state, and their description.

The sidebar, the Jobs page and the Downloads panel all use it, so that they never contradict each other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.viewmodels.jobs.items import JobItem, Task
from mlx_engine.amounts import format_count, format_percent

_VERBS: Mapping[Task, str] = {"download": "Downloading", "conversion": "Quantizing", "publication": "Publishing"}


@dataclass(frozen=True, slots=True)
class JobsSummary:
    """A summary of all jobs, or of those of one task."""

    running: tuple[JobItem, ...] = ()
    queued: int = 0
    paused: int = 0
    failed: int = 0
    done: int = 0

    @classmethod
    def of(cls, items: Iterable[JobItem]) -> "JobsSummary":
        items = tuple(items)
        kinds = [item.kind for item in items]
        return cls(
            running=tuple(item for item in items if item.kind == "running"),
            queued=kinds.count("queued"),
            paused=kinds.count("paused"),
            failed=kinds.count("failed"),
            done=kinds.count("done"),
        )

    @property
    def remaining(self) -> int:
        """Number of jobs that have not ended. A failed job has ended."""
        return len(self.running) + self.queued + self.paused

    @property
    def fraction(self) -> float:
        """Mean completed fraction of the running jobs, from 0 to 1."""
        return sum(item.fraction for item in self.running) / len(self.running) if self.running else 0.0

    @property
    def status(self) -> str:
        """Describe the jobs: "2 remaining · 1 failed" or "All done"; "" if there are none."""
        counts = {"remaining": self.remaining, "failed": self.failed}
        parts = [f"{count} {label}" for label, count in counts.items() if count]
        return " · ".join(parts) or ("All done" if self.done else "")

    @property
    def activity(self) -> str:
        """Describe the current activity: "Downloading · 25% · 1 more"; "" if all jobs are done."""
        if self.running:
            tasks = {item.task for item in self.running}
            verb = "Working" if len(tasks) > 1 else _VERBS[self.running[0].task]
            waiting = f"{self.queued} more" if self.queued else ""
            failed = f"{self.failed} failed" if self.failed else ""
            return " · ".join(filter(None, (verb, format_percent(self.fraction), waiting, failed)))
        counts = {"failed": self.failed, "waiting": self.queued, "paused": self.paused}
        parts = [(count, label) for label, count in counts.items() if count]
        return " · ".join(
            f"{format_count(count, 'job') if index == 0 else count} {label}"
            for index, (count, label) in enumerate(parts)
        )
