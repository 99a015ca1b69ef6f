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
        metrics = QFontMetrics(self.theme.font("label", bold=True))
        return QSize(4 * metrics.averageCharWidth(), self.sizeHint().height())

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
        text = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.width() - 8)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)


class SegmentedControl(QWidget):
    """Emits `selected` with the index of the pressed segment; the arrow keys move between segments."""

    selected = Signal(int)

    def __init__(self, theme: Theme, name: str, titles: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._name = theme, name
        self._group = QButtonGroup(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(1, 1, 1, 1)
        row.setSpacing(0)
        self.segments: list[PaintedButton] = [_Segment(theme, title, self) for title in titles]
        for index, title in enumerate(titles):
            self.set_title(index, title)
            self._group.addButton(self.segments[index], index)
            row.addWidget(self.segments[index])
        self._group.idClicked.connect(self.selected)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.select(0)

    def select(self, index: int) -> None:
        self._group.button(index).setChecked(True)

    def set_title(self, index: int, title: str) -> None:
        segment = self.segments[index]
        segment.setText(title)
        segment.setAccessibleName(f"{self._name}: {title}")
        segment.updateGeometry()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if step := _STEPS.get(Qt.Key(event.key())):
            enabled = [segment for segment in self.segments if segment.isEnabled() or segment.isChecked()]
            index = next(index for index, segment in enumerate(enabled) if segment.isChecked())
            segment = enabled[(index + step) % len(enabled)]
            segment.setFocus(Qt.FocusReason.TabFocusReason)
            segment.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        rounded(QPainter(self), QRectF(self.rect()), 8, self._theme.palette.bubble)
