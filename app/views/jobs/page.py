"""The page of jobs: what runs, what waits, and what has ended."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.jobs.queue import Jobs
from app.views.kit.buttons import TextButton
from app.views.kit.grid import SIDE, VerticalScrollArea
from app.views.kit.job_row import JobRow
from app.views.kit.placeholder import Placeholder
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_DISCOVER, _MODELS = "Discover models", "Quantize a model"


class JobsPage(QWidget):
    """What leads out of the page is told."""

    chat_requested = Signal(str)
    sign_in_requested = Signal()
    page_requested = Signal(str)
    log_requested = Signal()
    discover_requested = Signal()
    models_requested = Signal()

    def __init__(self, jobs: Jobs, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._theme = jobs, theme
        self.rows: dict[str, JobRow] = {}
        self._summary = TextLabel(theme, role="small", tone="secondary")
        self._clear = TextButton(theme, "Clear finished")
        self._log = TextButton(theme, "Show log")
        self._list = VerticalScrollArea(theme, "Jobs")
        self._nothing = Placeholder(theme)
        self._stack = QStackedWidget()
        self._lay_out()
        self._connect()
        for item in jobs.items:
            self._follow(item.id)
        self._show_whole()

    def _lay_out(self) -> None:
        self._list.column.setSpacing(0)
        self._list.column.addStretch(1)
        self._nothing.show_message(
            "Nothing is going on",
            "Downloads and quantizations stand here while they run. You can chat meanwhile.",
            icon="jobs",
            actions=(_DISCOVER, _MODELS),
        )
        self._stack.addWidget(self._list)
        self._stack.addWidget(self._nothing)
        self._head = QWidget()
        head = QHBoxLayout(self._head)
        head.setContentsMargins(SIDE, 12, SIDE, 0)
        head.addWidget(self._summary, 1)
        head.addWidget(self._log)
        head.addWidget(self._clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head)
        column.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self._clear.clicked.connect(self._jobs.clear_done)
        self._log.clicked.connect(self.log_requested)
        self._nothing.action_chosen.connect(
            lambda action: (self.discover_requested if action == _DISCOVER else self.models_requested).emit()
        )
        self._jobs.changed.connect(self._follow)

    def _follow(self, id: str) -> None:
        item, row = self._jobs.item(id), self.rows.get(id)
        if item is None:
            if row:
                del self.rows[id]
                row.hide()
                row.deleteLater()
        elif row is None:
            row = self.rows[id] = JobRow(item, self._jobs, self._theme)
            row.chat_requested.connect(self.chat_requested)
            row.sign_in_requested.connect(self.sign_in_requested)
            row.page_requested.connect(self.page_requested)
            self._list.column.insertWidget(self._list.column.count() - 1, row)
        else:
            row.show_item(item)
        self._show_whole()

    def _show_whole(self) -> None:
        items = self._jobs.items
        under_way = len(self._jobs.under_way)
        self._summary.setText(f"{under_way} to go" if under_way else "All done" if items else "")
        self._clear.setVisible(any(item.kind == "done" for item in items))
        self._head.setVisible(bool(items))
        self._stack.setCurrentWidget(self._list if items else self._nothing)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.window)
