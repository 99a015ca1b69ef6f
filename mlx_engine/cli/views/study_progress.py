"""Runs a study in the main thread and shows its progress: a status line on a terminal, a line per step elsewhere."""

import queue
import sys
from collections.abc import Callable

from mlx_engine.amounts import format_count
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.study import progress_line
from mlx_engine.engine.parents.client import Parcel
from mlx_engine.engine.parents.study_run import StudyRun
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.folders import Folders
from mlx_engine.measure.study.study import Row, Step, Study, remaining


class TerminalStudyRun:
    """Run of a study in the terminal; `on_row` is called with each row as soon as its last step is done."""

    def __init__(self, study: Study, folders: Folders, *, on_row: Callable[[Study, Row], None] | None) -> None:
        self._parcels: queue.SimpleQueue[Parcel[JobEvent]] = queue.SimpleQueue()
        self._work = StudyRun(
            study, post=self._parcels.put, on_event=self._show, on_change=self._refresh, folders=folders
        )
        self._on_row = on_row
        self._reported_labels: set[str] = set()
        self._status = terminal.StatusLine()

    def run(self) -> Study:
        """Run all remaining steps.

        Raises:
            StorageError: the study cannot be saved.
        """
        try:
            self._work.start()
            while self._work.step is not None:
                self._work.receive(self._parcels.get())
        finally:
            self._status.clear()
            self._work.close()
        return self._work.study

    def _show(self, event: JobEvent) -> None:
        if self._work.step is not None:
            self._status.show(f"{self._count()}{progress_line(self._work.study, self._work.step, event)}")

    def _refresh(self) -> None:
        study, step = self._work.study, self._work.step
        steps = list(remaining(study))
        self._status.clear()
        self._report_rows(study, steps)
        if step is not None and not sys.stderr.isatty():
            terminal.note(f"{self._count()}{progress_line(study, step)}\n")

    def _report_rows(self, study: Study, steps: list[Step]) -> None:
        unfinished = {step.label for step in steps}
        for row in study.rows:
            if self._on_row and row.label not in unfinished | self._reported_labels:
                self._reported_labels.add(row.label)
                self._on_row(study, row)
                sys.stdout.flush()

    def _count(self) -> str:
        """Format the number of remaining steps, the current one included."""
        count = sum(1 for _ in remaining(self._work.study))
        return f"{format_count(count, 'step')} left · "
