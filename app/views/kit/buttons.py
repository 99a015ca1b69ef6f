"""Painted buttons: an icon, an icon on an accent disc, text in a frame, a link."""

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QEnterEvent, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.views.kit.icons import pixmap
from app.views.kit.painting import focus_ring, mixed, rounded
from app.views.kit.plain_text import plain
from app.views.kit.theme import Theme


class PaintedButton(QAbstractButton):
    """Base of the buttons: repaints with the theme and under the mouse, and takes the focus by keyboard only."""

    def __init__(self, theme: Theme, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        theme.changed.connect(self._on_theme_changed)

    def _on_theme_changed(self) -> None:
        self.updateGeometry()
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.update()

    def _is_lit(self) -> bool:
        return self.isEnabled() and (self.isDown() or self.underMouse())

    def _draw_icon(self, painter: QPainter, name: str, center: QPoint, color: QColor) -> None:
        side = self.theme.scaled(18)
        image = pixmap(name, side=side, scale=self.devicePixelRatioF(), color=color)
        painter.drawPixmap(center - QPoint(side // 2, side // 2), image)


class IconButton(PaintedButton):
    """An icon. Its name is its tooltip and is read by screen readers."""

    def __init__(self, theme: Theme, icon: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._icon = icon
        self.set_name(name)

    def set_icon(self, icon: str) -> None:
        self._icon = icon
        self.update()

    def set_name(self, name: str, shortcut: str = "") -> None:
        self.setAccessibleName(name)
        self.setToolTip(plain(f"{name}  {shortcut}".rstrip()))

    def sizeHint(self) -> QSize:
        side = self.theme.scaled(18) + 14
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self.theme.palette
        painter = QPainter(self)
        if self._is_lit() or self.isChecked():
            rounded(painter, QRectF(self.rect()), 7, colors.hover)
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()), 7, colors.accent)
        color = colors.text if self.isEnabled() else colors.tertiary
        self._draw_icon(painter, self._icon, self.rect().center() + QPoint(1, 1), color)


class RoundButton(IconButton):
    """An icon on a disc in the accent color, for the primary action."""

    def sizeHint(self) -> QSize:
        side = self.theme.scaled(18) + 12
        return QSize(side, side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self.theme.palette
        painter = QPainter(self)
        area = QRectF(self.rect())
        disc = colors.accent if self.isEnabled() else mixed(colors.window, colors.text, 0.12)
        if self._is_lit():
            disc = mixed(disc, colors.text, 0.15)
        radius = area.height() / 2
        if self.hasFocus():
            focus_ring(painter, area, radius, colors.accent)
            area.adjust(4, 4, -4, -4)
        rounded(painter, area, area.height() / 2, disc)
        color = colors.accent_text if self.isEnabled() else colors.tertiary
        self._draw_icon(painter, self._icon, self.rect().center() + QPoint(1, 1), color)


class TextButton(PaintedButton):
    """A line of text in a frame, elided if it does not fit."""

    def __init__(self, theme: Theme, text: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setText(text)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font("label"))
        return QSize(metrics.horizontalAdvance(self.text()) + 28, metrics.height() + 16)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), 60), self.sizeHint().height())

    def paint_frame(self, painter: QPainter) -> None:
        """Draw everything except the text."""
        colors, area = self.theme.palette, QRectF(self.rect())
        rounded(painter, area, 9, colors.hover if self._is_lit() else None, colors.border)
        if self.hasFocus():
            focus_ring(painter, area, 9, colors.accent)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self.theme.palette
        painter = QPainter(self)
        self.paint_frame(painter)
        painter.setFont(self.theme.font("label"))
        painter.setPen(colors.text if self.isEnabled() else colors.tertiary)
        inside = self.rect().adjusted(12, 0, -12, 0)
        elided = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside, Qt.AlignmentFlag.AlignCenter, elided)


class LinkButton(PaintedButton):
    """Small text in the accent color, for use inside a line of text. `name` is for screen readers."""

    def __init__(self, theme: Theme, text: str, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.setText(text)
        self.setAccessibleName(name or text)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font("small"))
        return QSize(metrics.horizontalAdvance(self.text()) + 8, metrics.height() + 6)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self.theme.palette, QPainter(self)
        if self.hasFocus():
            focus_ring(painter, QRectF(self.rect()), 5, colors.accent)
        color = mixed(colors.accent, colors.text, 0.4) if self._is_lit() else colors.accent
        painter.setFont(self.theme.font("small"))
        painter.setPen(color if self.isEnabled() else colors.tertiary)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())
