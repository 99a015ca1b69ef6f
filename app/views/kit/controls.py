"""Small controls: a badge, a check box, small buttons."""

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.views.kit.buttons import PaintedButton, TextButton
from app.views.kit.icons import pixmap
from app.views.kit.painting import focus_ring, mixed, rounded
from app.views.kit.plain_text import plain
from app.views.kit.theme import Theme

_LABEL_GAP = 5


class Badge(QWidget):
    """A word or two on a tinted pill."""

    def __init__(self, theme: Theme, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tone = "secondary"
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)
        self.show_text(text)

    def show_text(self, text: str, tone: str = "secondary", tooltip: str = "") -> None:
        """Show `text` in the color named `tone` in the palette."""
        self._text, self._tone = text, tone
        self.setAccessibleName(text)
        self.setToolTip(plain(tooltip))
        self.setVisible(bool(text))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self._theme.font("small"))
        return QSize(metrics.horizontalAdvance(self._text) + 16, metrics.height() + 4)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self._theme.palette, QPainter(self)
        color: QColor = getattr(colors, self._tone)
        rounded(painter, QRectF(self.rect()), self.height() / 2, mixed(colors.surface, color, 0.12))
        painter.setFont(self._theme.font("small"))
        painter.setPen(color)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)


class CheckBox(PaintedButton):
    """A painted check box, with a label if there is one; `name` is for screen readers and the tooltip."""

    def __init__(self, theme: Theme, name: str, label: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setCheckable(True)
        self.setText(label)
        self.setAccessibleName(name)
        self.setToolTip(plain(name))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font("label"))
        label_width = metrics.horizontalAdvance(self.text()) + _LABEL_GAP + 4 if self.text() else 0
        return QSize(self._side() + label_width, max(self._side(), metrics.height() if self.text() else 0))

    def _side(self) -> int:
        return self.theme.scaled(16) + 4

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter, side = self.theme.palette, QPainter(self), self._side()
        box = QRectF(0, (self.height() - side) // 2, side, side).adjusted(2, 2, -2, -2)
        if self.isChecked():
            rounded(painter, box, 4, colors.accent)
            self._draw_tick(painter)
        else:
            rounded(painter, box, 4, colors.hover if self._is_lit() else None, colors.tertiary)
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()), 6, colors.accent)
        painter.setFont(self.theme.font("label"))
        painter.setPen(colors.text if self.isEnabled() else colors.tertiary)
        painter.drawText(self.rect().adjusted(side + _LABEL_GAP, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, self.text())

    def _draw_tick(self, painter: QPainter) -> None:
        side = self.theme.scaled(14)
        tick = pixmap("check", side=side, scale=self.devicePixelRatioF(), color=self.theme.palette.accent_text)
        painter.drawPixmap(QPoint((self._side() - side) // 2, (self.height() - side) // 2), tick)


class SmallButton(TextButton):
    """A lower text button for rows of buttons; `name` is for screen readers."""

    def __init__(self, theme: Theme, text: str, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, text, parent)
        self.setAccessibleName(name or text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return super().sizeHint() - QSize(0, 4)


class FilledButton(SmallButton):
    """Text on the accent color, for the primary action."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, text, parent=parent)
        self.is_filled = True

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.is_filled or not self.isEnabled():
            super().paintEvent(event)
            return
        colors, painter, area = self.theme.palette, QPainter(self), QRectF(self.rect())
        rounded(painter, area, 9, mixed(colors.accent, colors.text, 0.15) if self._is_lit() else colors.accent)
        if self.hasFocus():
            focus_ring(painter, area.adjusted(2, 2, -2, -2), 7, colors.accent_text)
        painter.setFont(self.theme.font("label"))
        painter.setPen(colors.accent_text)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
