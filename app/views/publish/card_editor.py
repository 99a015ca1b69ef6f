"""The editor of the model card, with a preview and the Markdown source."""

from PySide6.QtCore import QRectF, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QTextOption
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.views.kit.chips import Chip
from app.views.kit.grid import VerticalScrollArea
from app.views.kit.painting import focus_ring, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.transcript.card_text import CardText


class CardEditor(QWidget):
    """Shows a preview of the card, or its source."""

    edited = Signal(str)  # the whole card, including its metadata

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._text = ""
        self.edit = Chip(theme, "Edit")
        self.edit.setAccessibleName("Edit card")
        self.source = _SourceEditor(theme)
        self._card = CardText(theme)
        self._preview = VerticalScrollArea(theme, "Preview of the card")
        self._preview.column.setContentsMargins(14, 12, 14, 12)
        self._preview.column.addWidget(self._card)
        self._preview.column.addStretch(1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._preview)
        self._stack.addWidget(self.source)
        self._lay_out()
        self.edit.toggled.connect(self._stack.setCurrentIndex)
        self.source.textChanged.connect(lambda: self.edited.emit(self.source.toPlainText()))
        theme.changed.connect(self.update)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(TextLabel(self._theme, "Model card", role="small", bold=True))
        head.addWidget(TextLabel(self._theme, "README.md of the repository", role="small", tone="secondary"), 1)
        head.addWidget(self.edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        self._stack.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._stack.setMinimumHeight(self._theme.scaled(120))

    def show_card(self, card: str, text: str) -> None:
        """Show the card; `text` is the card without its metadata, for the preview."""
        if text != self._text:
            self._text = text
            self._card.show_card(text)
        if card != self.source.toPlainText():
            with QSignalBlocker(self.source):
                self.source.setPlainText(card)

    def paintEvent(self, _event: QPaintEvent) -> None:
        area = QRectF(self._stack.geometry()).adjusted(0.5, 0.5, -0.5, -0.5)
        rounded(QPainter(self), area, 9, self._theme.palette.surface, self._theme.palette.border)


class _SourceEditor(QPlainTextEdit):
    """The Markdown source in a monospaced font."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setAccessibleName("Card source in Markdown")
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.document().setDocumentMargin(12)
        self.viewport().setAutoFillBackground(False)
        theme.thin_scroll_bars(self)
        theme.changed.connect(self._apply_theme)
        self._apply_theme()

    def _apply_theme(self) -> None:
        self.setFont(self._theme.font("mono"))
        palette = self.palette()
        palette.setColor(palette.ColorRole.Base, Qt.GlobalColor.transparent)
        palette.setColor(palette.ColorRole.Text, self._theme.palette.text)
        self.setPalette(palette)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            area = QRectF(self.viewport().rect())
            focus_ring(QPainter(self.viewport()), area, 9, self._theme.palette.accent)
