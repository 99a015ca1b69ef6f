"""A list of jobs that follows the queue."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.viewmodels.jobs.items import Task
from app.viewmodels.jobs.queue import Jobs
from app.views.kit.grid import VerticalScrollArea
from app.views.kit.job_row import JobRow
from app.views.kit.theme import Theme


class JobList(VerticalScrollArea):
    """A row for each job of `task`, or of all tasks. `name` is for screen readers."""

    chat_requested = Signal(str)  # the id of a model
    sign_in_requested = Signal()
    page_requested = Signal(str)  # a repository

    def __init__(
        self, jobs: Jobs, theme: Theme, name: str, task: Task | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, name, parent)
        self._jobs, self._theme, self._task = jobs, theme, task
        self.rows: dict[str, JobRow] = {}
        self.column.setSpacing(0)
        self.column.addStretch(1)
        jobs.changed.connect(self._refresh)
        for item in jobs.items:
            self._refresh(item.id)

    def _refresh(self, id: str) -> None:
        item, row = self._jobs.item(id), self.rows.get(id)
        if item is None:
            if row:
                del self.rows[id]
                row.hide()
                row.deleteLater()
        elif row:
            row.show_item(item)
        elif self._task in (None, item.task):
            row = self.rows[id] = JobRow(item, self._jobs, self._theme)
            row.chat_requested.connect(self.chat_requested)
            row.sign_in_requested.connect(self.sign_in_requested)
            row.page_requested.connect(self.page_requested)
            self.column.insertWidget(self.column.count() - 1, row)
