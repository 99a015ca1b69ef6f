"""A segmented control: one of a few views is selected."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from app.views.kit.buttons import PaintedButton
from app.views.kit.painting import focus_ring, rounded
from app.views.kit.theme import Theme

_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}


class _Segment(PaintedButton):
    def __init__(self, theme: Theme, text: str, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self.setText(text)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font("label", bold=True))
        return QSize(metrics.horizontalAdvance(self.text()) + 26, metrics.height() + 10)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.sizeHint().width() - 14, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter, area = self.theme.palette, QPainter(self), QRectF(self.rect()).adjusted(2, 2, -2, -2)
        if self.isChecked():
            rounded(painter, area, 6, colors.surface, colors.border)
        elif self._is_lit():
            rounded(painter, area, 6, colors.hover)
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()), 7, colors.accent)
        painter.setFont(self.theme.font("label", bold=self.isChecked()))
        painter.setPen(colors.text if self.isChecked() else colors.secondary)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())


class SegmentedControl(QWidget):
    """Emits `selected` with the index of the pressed segment; the arrow keys move between segments."""

    selected = Signal(int)

    def __init__(self, theme: Theme, name: str, titles: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(1, 1, 1, 1)
        row.setSpacing(0)
        for index, title in enumerate(titles):
            segment = _Segment(theme, title, self)
            segment.setAccessibleName(f"{name}: {title}")
            self._group.addButton(segment, index)
            row.addWidget(segment)
        self._group.idClicked.connect(self.selected)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.select(0)

    def select(self, index: int) -> None:
        self._group.button(index).setChecked(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if step := _STEPS.get(Qt.Key(event.key())):
            index = (self._group.checkedId() + step) % len(self._group.buttons())
            self._group.button(index).setFocus(Qt.FocusReason.TabFocusReason)
            self._group.button(index).click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        rounded(QPainter(self), QRectF(self.rect()), 8, self._theme.palette.bubble)
