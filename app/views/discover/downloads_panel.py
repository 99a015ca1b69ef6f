"""The downloads at the foot of the page."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.viewmodels.jobs.queue import Jobs
from app.views.kit.controls import SmallButton
from app.views.kit.grid import SIDE
from app.views.kit.job_row import JobRow
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_SHARE = 0.3
"""Of the page's height, what the downloads take at most."""


class DownloadsPanel(QWidget):
    """The downloads among the jobs; without any it is not there."""

    chat_requested = Signal(str)  # the id of a model
    sign_in_requested = Signal()
    page_requested = Signal(str)

    def __init__(self, jobs: Jobs, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._jobs, self._theme = jobs, theme
        self._rows: dict[str, JobRow] = {}
        self._heading = TextLabel(theme, "Downloads", role="small", tone="secondary", bold=True)
        self._clear = SmallButton(theme, "Clear finished")
        self._clear.clicked.connect(lambda: jobs.clear_done("download"))
        self._inside = QWidget()
        self._column = QVBoxLayout(self._inside)
        self._lay_out()
        jobs.changed.connect(self._follow)
        theme.changed.connect(self._fit_height)
        for item in jobs.items:
            self._follow(item.id)
        self._show_heading()

    def _lay_out(self) -> None:
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName("Downloads")
        self._scroll.setWidget(self._inside)
        self._theme.thin_scroll_bars(self._scroll)
        for see_through in (self._scroll.viewport(), self._inside):
            see_through.setAutoFillBackground(False)
        heading = QHBoxLayout()
        heading.addWidget(self._heading, 1)
        heading.addWidget(self._clear)
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE, 8, SIDE, 8)
        column.setSpacing(2)
        column.addLayout(heading)
        column.addWidget(self._scroll)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def _follow(self, id: str) -> None:
        item, row = self._jobs.item(id), self._rows.get(id)
        if item is None:
            if row:
                del self._rows[id]
                row.hide()
                row.deleteLater()
        elif item.task != "download":
            return
        elif row is None:
            row = self._rows[id] = JobRow(item, self._jobs, self._theme)
            row.chat_requested.connect(self.chat_requested)
            row.sign_in_requested.connect(self.sign_in_requested)
            row.page_requested.connect(self.page_requested)
            self._column.insertWidget(self._column.count() - 1, row)
        else:
            row.show_item(item)
        self._show_heading()

    def _show_heading(self) -> None:
        kinds = [item.kind for item in self._jobs.items if item.task == "download"]
        done = kinds.count("done")
        self._heading.setText(f"Downloads · {len(kinds) - done} to go" if len(kinds) > done else "Downloads")
        self._clear.setVisible(bool(done))
        self.setVisible(bool(kinds))
        self._fit_height()

    def _fit_height(self) -> None:
        """Be as high as the rows need, up to a share of the page."""
        page = self.parentWidget()
        width = max(self._scroll.viewport().width(), 200)
        needed = sum(_height(row, width) for row in self._rows.values())
        most = round(page.height() * _SHARE) if page else needed
        self._scroll.setFixedHeight(min(needed, max(most, self._theme.scaled(60))) + 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self._theme.palette, QPainter(self)
        painter.fillRect(self.rect(), colors.sidebar)
        painter.fillRect(0, 0, self.width(), 1, colors.border)


def _height(row: JobRow, width: int) -> int:
    return row.heightForWidth(width) if row.hasHeightForWidth() else row.sizeHint().height()
