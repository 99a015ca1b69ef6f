"""What stands in the place of the table when there is nothing in it, and over it while something is dragged."""

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.views.kit.buttons import LinkButton, TextButton
from app.views.kit.painting import mixed
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class Nothing(QWidget):
    """Why nothing is shown, and what to do about it."""

    pressed = Signal()
    other_pressed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = TextLabel(theme, role="heading", wraps=True)
        self._line = TextLabel(theme, tone="secondary", wraps=True)
        self._button = TextButton(theme, "")
        self._button.clicked.connect(self.pressed)
        self.other = LinkButton(theme, "")
        self.other.clicked.connect(self.other_pressed)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addStretch(2)
        for words in (self._title, self._line):
            words.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(words)
        column.addSpacing(8)
        for button in (self._button, self.other):
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def tell(self, title: str, line: str, button: str, other: str) -> None:
        """Say this; `other` is what else can be done, or empty."""
        self._title.setText(title)
        self._line.setText(line)
        for shown, words in ((self._button, button), (self.other, other)):
            shown.setText(words)
            shown.setAccessibleName(words)
            shown.updateGeometry()
        self.other.setVisible(bool(other))


class DropFrame(QWidget):
    """Lies over the page while files are dragged over it."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self._theme.palette, QPainter(self)
        veil = mixed(colors.window, colors.accent, 0.08)
        veil.setAlphaF(0.92)
        painter.fillRect(self.rect(), veil)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colors.accent, 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(14, 14, -14, -14), 12, 12)
        painter.setFont(self._theme.font("heading"))
        painter.setPen(colors.text)
        painter.drawText(
            self.rect(), Qt.AlignmentFlag.AlignCenter, "Drop a model folder, a GGUF file or an address of the Hub"
        )
