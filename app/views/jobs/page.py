"""The Jobs page: running, waiting and finished jobs."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.jobs.queue import Jobs
from app.views.kit.buttons import TextButton
from app.views.kit.grid import SIDE
from app.views.kit.job_list import JobList
from app.views.kit.placeholder import Placeholder
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_DISCOVER, _MODELS = "Discover Models", "Quantize a Model"


class JobsPage(QWidget):
    """All jobs, or a placeholder. Requests that concern other pages are emitted."""

    chat_requested = Signal(str)
    sign_in_requested = Signal()
    page_requested = Signal(str)
    log_requested = Signal()
    discover_requested = Signal()
    models_requested = Signal()

    def __init__(self, jobs: Jobs, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._theme = jobs, theme
        self._summary = TextLabel(theme, role="small", tone="secondary")
        self._clear = TextButton(theme, "Clear Finished")
        self._log = TextButton(theme, "Show Log")
        self._list = JobList(jobs, theme, "Jobs")
        self._placeholder = Placeholder(theme)
        self._stack = QStackedWidget()
        self._lay_out()
        self._connect()
        self._refresh()

    def _lay_out(self) -> None:
        self._placeholder.show_message(
            "No jobs",
            "Downloads and conversions appear here while they run. You can keep chatting in the meantime.",
            icon="jobs",
            actions=(_DISCOVER, _MODELS),
        )
        self._stack.addWidget(self._list)
        self._stack.addWidget(self._placeholder)
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
        self._list.chat_requested.connect(self.chat_requested)
        self._list.sign_in_requested.connect(self.sign_in_requested)
        self._list.page_requested.connect(self.page_requested)
        self._clear.clicked.connect(self._jobs.clear_done)
        self._log.clicked.connect(self.log_requested)
        self._placeholder.action_chosen.connect(
            lambda action: (self.discover_requested if action == _DISCOVER else self.models_requested).emit()
        )
        self._jobs.changed.connect(self._refresh)

    def _refresh(self) -> None:
        summary = self._jobs.summary()
        self._summary.setText(summary.status)
        self._clear.setVisible(summary.done > 0)
        self._head.setVisible(bool(summary.status))
        self._stack.setCurrentWidget(self._list if summary.status else self._placeholder)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.window)
