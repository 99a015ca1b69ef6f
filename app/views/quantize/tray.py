"""Foot of the Quantize page: the planned conversions, their disk space, and the start button."""

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.viewmodels.quantize.quantize import Quantize
from app.viewmodels.quantize.state import RecipesReady
from app.views.kit.controls import CheckBox, FilledButton
from app.views.kit.grid import SIDE
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.quantize.plan_row import PlanRow
from mlx_engine.amounts import format_disk

_REMOVAL_NOTE = "Original files are deleted permanently after use, and downloaded again after an interruption."
_SHARE = 0.35
"""Maximum height of the rows, as a share of the page's height."""


class Tray(QWidget):
    """Hidden without a model."""

    started = Signal()

    def __init__(self, quantize: Quantize, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._quantize, self._theme = quantize, theme
        self._rows: dict[str, PlanRow] = {}
        self._inside = QWidget()
        self._column = QVBoxLayout(self._inside)
        self._scroll = QScrollArea(widgetResizable=True)
        self._line = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self.button = FilledButton(theme, "Quantize")
        self.remove = CheckBox(theme, "")
        self._lay_out()
        self.button.clicked.connect(self.started)
        self.remove.toggled.connect(lambda removes: quantize.remove_source(removes=removes))
        quantize.plans_changed.connect(self.refresh)
        theme.changed.connect(self.fit_height)
        self.refresh()

    def _lay_out(self) -> None:
        self._column.setContentsMargins(0, 2, 0, 2)
        self._column.setSpacing(6)
        self._column.addStretch(1)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName("Planned conversions")
        self._scroll.setWidget(self._inside)
        for part in (self, self._inside):
            part.installEventFilter(self)
        self._theme.thin_scroll_bars(self._scroll)
        for transparent in (self._scroll.viewport(), self._inside):
            transparent.setAutoFillBackground(False)
        foot = QHBoxLayout()
        foot.addWidget(self.remove)
        foot.addWidget(self._line, 1)
        foot.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE, 8, SIDE, 10)
        column.setSpacing(6)
        column.addWidget(self._scroll)
        column.addLayout(foot)

    def refresh(self) -> None:
        """Show the current plans."""
        plans = {plan.card.name: plan for plan in self._quantize.plans}
        for name in self._rows.keys() - plans.keys():
            row = self._rows.pop(name)
            row.hide()
            row.deleteLater()
        for index, (name, plan) in enumerate(plans.items()):
            if name in self._rows:
                self._rows[name].show_plan(plan)
            else:
                row = self._rows[name] = PlanRow(plan, self._theme)
                row.renamed.connect(self._quantize.rename)
                row.removed.connect(lambda name: self._quantize.choose(name, chosen=False))
                self._column.insertWidget(index, row)
        self._show_line(len(plans))
        self.button.setEnabled(self._quantize.can_start)
        self._show_remove()
        self.fit_height()

    def _show_remove(self) -> None:
        state = self._quantize.state
        self.remove.setVisible(self._quantize.can_remove_source)
        with QSignalBlocker(self.remove):
            self.remove.setChecked(self._quantize.removes_source)
        if isinstance(state, RecipesReady) and state.download:
            self.remove.setText("Permanently delete original files after use")
            self.remove.setToolTip(
                f"Deletes each file of {state.model.name} permanently after use, so that the disk does not need space "
                f"for all {format_disk(state.model.size_bytes)}. After an interruption, these files are downloaded "
                "again."
            )
        elif isinstance(state, RecipesReady):
            self.remove.setText("Permanently delete original afterwards")
            self.remove.setToolTip(
                f"Deletes the weights of {state.model.name} permanently when the new model is complete, without moving "
                f"them to the Trash. Frees {format_disk(state.model.size_bytes)}."
            )

    def _show_line(self, count: int) -> None:
        obstacle = self._quantize.obstacle if count else ""
        free, needed = format_disk(self._quantize.free_bytes), format_disk(self._quantize.needed_bytes)
        needs = f"{needed} on disk, {free} available" if count else "Select a recipe"
        download = self._quantize.download
        missing = f"{format_disk(download.missing_bytes)} to download · " if download and download.missing_bytes else ""
        note = f". {_REMOVAL_NOTE}" if download and self._quantize.removes_source else ""
        self._line.setText(obstacle or f"{missing}{needs}{note}")
        self._line.set_tone("danger" if obstacle else "secondary")
        single = "Download and Quantize" if download else "Quantize"
        self.button.setText(f"Create {count} Models" if count > 1 else single)
        self.button.updateGeometry()

    def fit_height(self) -> None:
        """Fit the height to the rows, up to a share of the page."""
        page = self.parentWidget()
        width = max(self._scroll.viewport().width(), 200)
        needed = sum(_height(row, width) + 6 for row in self._rows.values())
        limit = max(round(page.height() * _SHARE) if page else needed, self._theme.scaled(40))
        self._scroll.setFixedHeight(min(needed, limit))
        self._scroll.setVisible(bool(self._rows))
        layout = self.layout()
        if layout and self.width():
            self.setFixedHeight(layout.totalHeightForWidth(self.width()))
            # A height that is set during a layout pass does not reach the layout by itself.
            layout.setGeometry(self.rect())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Adjust the height to a row with more text."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.fit_height()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_height()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours, painter = self._theme.palette, QPainter(self)
        painter.fillRect(self.rect(), colours.sidebar)
        painter.fillRect(0, 0, self.width(), 1, colours.border)


def _height(row: PlanRow, width: int) -> int:
    return row.heightForWidth(width) if row.hasHeightForWidth() else row.sizeHint().height()
