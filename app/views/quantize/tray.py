"""The foot of the page: what was chosen, what it takes, and the button that begins."""

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.viewmodels.quantize.quantize import Quantize
from app.viewmodels.quantize.state import RecipesReady
from app.views.kit.chips import Chip
from app.views.kit.controls import FilledButton
from app.views.kit.grid import SIDE
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.quantize.plan_row import PlanRow
from mlx_engine.amounts import format_disk

_REMOVING_COSTS = "Each file of the original goes for good once it was used; an interruption costs it anew."
_SHARE = 0.35
"""Of the page's height, what the rows take at most."""


class Tray(QWidget):
    """Without a model it is not there."""

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
        self.remove = Chip(theme, "")
        self._lay_out()
        self.button.clicked.connect(self.started)
        self.remove.toggled.connect(lambda removes: quantize.remove_source(removes=removes))
        quantize.plans_changed.connect(self.follow)
        theme.changed.connect(self.fit_height)
        self.follow()

    def _lay_out(self) -> None:
        self._column.setContentsMargins(0, 2, 0, 2)
        self._column.setSpacing(6)
        self._column.addStretch(1)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setAccessibleName("What is going to be made")
        self._scroll.setWidget(self._inside)
        for part in (self, self._inside):
            part.installEventFilter(self)
        self._theme.thin_scroll_bars(self._scroll)
        for see_through in (self._scroll.viewport(), self._inside):
            see_through.setAutoFillBackground(False)
        foot = QHBoxLayout()
        foot.addWidget(self._line, 1)
        foot.addWidget(self.remove)
        foot.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE, 8, SIDE, 10)
        column.setSpacing(6)
        column.addWidget(self._scroll)
        column.addLayout(foot)

    def follow(self) -> None:
        """Show what is chosen now."""
        plans = {plan.card.name: plan for plan in self._quantize.plans}
        for name in self._rows.keys() - plans.keys():
            row = self._rows.pop(name)
            row.hide()
            row.deleteLater()
        for place, (name, plan) in enumerate(plans.items()):
            if name in self._rows:
                self._rows[name].follow(plan)
            else:
                row = self._rows[name] = PlanRow(plan, self._theme)
                row.renamed.connect(self._quantize.rename)
                row.dropped.connect(lambda name: self._quantize.choose(name, chosen=False))
                self._column.insertWidget(place, row)
        self._show_line(len(plans))
        self.button.setEnabled(self._quantize.can_start)
        self._show_remove()
        self.fit_height()

    def _show_remove(self) -> None:
        state = self._quantize.state
        self.remove.setVisible(self._quantize.can_remove_source)
        with QSignalBlocker(self.remove):
            self.remove.setChecked(self._quantize.removes_source)
        if isinstance(state, RecipesReady) and state.coming:
            self.remove.setText("Remove the original's files as they are used")
            self.remove.setToolTip(
                f"Each file of {state.model.name} is removed for good once it was used, so that the disk need not have "
                f"room for all {format_disk(state.model.size_bytes)}. If the work is interrupted, those files are "
                "downloaded again."
            )
            self.remove.updateGeometry()
        elif isinstance(state, RecipesReady):
            self.remove.setText("Remove the original afterwards")
            self.remove.setToolTip(
                f"Once the new model is whole, the weights of {state.model.name} are removed for good, not into the "
                f"trash. That frees {format_disk(state.model.size_bytes)}."
            )
            self.remove.updateGeometry()

    def _show_line(self, count: int) -> None:
        obstacle = self._quantize.obstacle if count else ""
        free = f"{format_disk(self._quantize.free_bytes)} are free"
        needs = f"{format_disk(self._quantize.needed_bytes)} on disk; {free}" if count else "Choose a recipe"
        coming = self._quantize.coming
        download = f"{format_disk(coming.missing_bytes)} to download · " if coming and coming.missing_bytes else ""
        costs = f" {_REMOVING_COSTS}" if coming and self._quantize.removes_source else ""
        self._line.setText(obstacle or f"{download}{needs}{'.' if costs else ''}{costs}")
        self._line.set_tone("danger" if obstacle else "secondary")
        one = "Download and quantize" if coming else "Quantize"
        self.button.setText(f"Make {count} models" if count > 1 else one)
        self.button.updateGeometry()

    def fit_height(self) -> None:
        """Be as high as the rows need, up to a share of the page."""
        page = self.parentWidget()
        width = max(self._scroll.viewport().width(), 200)
        needed = sum(_height(row, width) + 6 for row in self._rows.values())
        most = max(round(page.height() * _SHARE) if page else needed, self._theme.scaled(40))
        self._scroll.setFixedHeight(min(needed, most))
        self._scroll.setVisible(bool(self._rows))
        layout = self.layout()
        if layout and self.width():
            self.setFixedHeight(layout.totalHeightForWidth(self.width()))
            # A height that is set while the layout is at work does not reach it by itself.
            layout.setGeometry(self.rect())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Make room for a part that says more than before."""
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
