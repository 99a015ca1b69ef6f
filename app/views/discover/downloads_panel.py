"""Downloads at the bottom of the Discover page."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.viewmodels.jobs.queue import Jobs
from app.views.kit.controls import SmallButton
from app.views.kit.grid import SIDE
from app.views.kit.job_list import JobList
from app.views.kit.job_row import JobRow
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_LARGEST_FRACTION = 0.3
"""Largest part of the page's height that the downloads take."""


class DownloadsPanel(QWidget):
    """The downloads among the jobs, hidden while there are none."""

    chat_requested = Signal(str)  # the id of a model
    sign_in_requested = Signal()
    page_requested = Signal(str)

    def __init__(self, jobs: Jobs, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._theme = jobs, theme
        self._heading = TextLabel(theme, "Downloads", role="small", tone="secondary", bold=True)
        self._clear = SmallButton(theme, "Clear Finished")
        self._list = JobList(jobs, theme, "Downloads", "download")
        self._lay_out()
        self._list.chat_requested.connect(self.chat_requested)
        self._list.sign_in_requested.connect(self.sign_in_requested)
        self._list.page_requested.connect(self.page_requested)
        self._clear.clicked.connect(lambda: jobs.clear_done("download"))
        jobs.changed.connect(self._refresh)
        theme.changed.connect(self._fit_height)
        self._refresh()

    def _lay_out(self) -> None:
        self._list.column.setContentsMargins(0, 0, 0, 0)
        heading = QHBoxLayout()
        heading.addWidget(self._heading, 1)
        heading.addWidget(self._clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE, 8, SIDE, 8)
        column.setSpacing(2)
        column.addLayout(heading)
        column.addWidget(self._list)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def _refresh(self) -> None:
        summary = self._jobs.summary("download")
        self._heading.setText(f"Downloads · {summary.status}")
        self._clear.setVisible(summary.done > 0)
        self.setVisible(bool(summary.status))
        self._fit_height()

    def _fit_height(self) -> None:
        """Grow to the height of the rows, up to a fraction of the page."""
        page = self.parentWidget()
        width = max(self._list.viewport().width(), 200)
        height = sum(_height(row, width) for row in self._list.rows.values())
        limit = round(page.height() * _LARGEST_FRACTION) if page else height
        self._list.setFixedHeight(min(height, max(limit, self._theme.scaled(60))) + 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self._theme.palette, QPainter(self)
        painter.fillRect(self.rect(), colors.sidebar)
        painter.fillRect(0, 0, self.width(), 1, colors.border)


def _height(row: JobRow, width: int) -> int:
    return row.heightForWidth(width) if row.hasHeightForWidth() else row.sizeHint().height()
