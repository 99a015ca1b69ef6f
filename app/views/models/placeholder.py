"""Placeholder for an empty table, and the frame over the page during a drag."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views.kit.buttons import LinkButton, TextButton
from app.views.kit.painting import mixed
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class TablePlaceholder(QWidget):
    """Explains why the table is empty, with buttons for the next step."""

    pressed = Signal()
    secondary_pressed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = TextLabel(theme, role="heading", wraps=True)
        self._message = TextLabel(theme, tone="secondary", wraps=True)
        self._button = TextButton(theme, "")
        self._button.clicked.connect(self.pressed)
        self.secondary_button = LinkButton(theme, "")
        self.secondary_button.clicked.connect(self.secondary_pressed)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addStretch(2)
        for label in (self._title, self._message):
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(label)
        column.addSpacing(8)
        for button in (self._button, self.secondary_button):
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def show_message(self, title: str, message: str, button: str, secondary_button: str = "") -> None:
        """Show the texts; a button with the text "" is hidden."""
        self._title.setText(title)
        self._message.setText(message)
        for widget, text in ((self._button, button), (self.secondary_button, secondary_button)):
            widget.setText(text)
            widget.setAccessibleName(text)
            widget.updateGeometry()
            widget.setVisible(bool(text))


class DropFrame(QWidget):
    """Covers the page during a drag."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self._theme.palette, QPainter(self)
        overlay = mixed(colors.window, colors.accent, 0.08)
        overlay.setAlphaF(0.92)
        painter.fillRect(self.rect(), overlay)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colors.accent, 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(14, 14, -14, -14), 12, 12)
        painter.setFont(self._theme.font("heading"))
        painter.setPen(colors.text)
        painter.drawText(
            self.rect(), Qt.AlignmentFlag.AlignCenter, "Drop a model folder, a GGUF file, or a Hugging Face link"
        )
