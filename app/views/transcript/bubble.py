"""A user's message in a bubble on the right, as wide as its text. It can be edited in place."""

from PySide6.QtCore import QRect, QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.views.kit.painting import rounded
from app.views.transcript.block_view import BlockView
from app.views.transcript.bubble_editor import BubbleEditor
from app.views.transcript.services import TranscriptServices

_WIDEST = 0.85
"""Fraction of the column."""
_SIDE, _TOP, _BOTTOM = 16, 11, 7
# The last line of a text already has line spacing below it.
_RADIUS = 18


class Bubble(QWidget):
    """Shows a text, or an editor for it."""

    resized = Signal()
    edited = Signal(str)
    editing_ended = Signal()
    link_clicked = Signal(str)
    selected = Signal(object)

    def __init__(self, services: TranscriptServices, parent: QWidget) -> None:
        super().__init__(parent)
        self._services = services
        self._source = ""
        self._frame = QRect()
        self._editor: BubbleEditor | None = None
        self._measured: tuple[int, int] | None = None
        self._text = BlockView(services, services.plain_input, self, name="Your message")
        self._text.reflowed.connect(self._remeasure)
        self._text.link_clicked.connect(self.link_clicked)
        self._text.selected.connect(self.selected)

    def set_text(self, text: str) -> None:
        """Replace the text."""
        if text == self._source:
            return
        self._source, self._measured = text, None
        self._text.clear()
        self._text.append(text.strip("\n"))

    def edit(self, text: str | None = None) -> None:
        """Show an editor instead of the text, containing it or `text`."""
        if self._editor is None:
            self._editor = BubbleEditor(self._services.theme, self._source if text is None else text, self)
            self._editor.sent.connect(self._send)
            self._editor.canceled.connect(self.end_editing)
            self._editor.resized.connect(self.resized)
            self._text.hide()
            self._editor.show()
            self.resized.emit()
        self._editor.start()

    def end_editing(self) -> None:
        """Show the unchanged text again."""
        if self._editor is not None:
            self._editor.hide()
            self._editor.deleteLater()
            self._editor = None
            self._text.show()
            self.resized.emit()
            self.editing_ended.emit()

    def restyle(self) -> None:
        self._measured = None
        self._text.restyle()
        if self._editor is not None:
            self._editor.restyle()

    def height_for(self, width: int) -> int:
        """Arrange the parts for `width`, and return their height."""
        if self._editor is not None:
            inner = width - 2 * _SIDE
            height = self._editor.height_for(inner) + 3
            self._editor.setGeometry(_SIDE, _TOP, inner, height)
        else:
            inner = self._inner_width(width)
            height = self._text.height_for(inner)
            self._text.setGeometry(width - inner - _SIDE, _TOP, inner, height)
        self._frame = QRect(width - inner - 2 * _SIDE, 0, inner + 2 * _SIDE, height + _TOP + _BOTTOM)
        return self._frame.height()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._services.theme.palette
        border = colors.accent if self._editor is not None else None
        rounded(QPainter(self), QRectF(self._frame), _RADIUS, colors.bubble, border)

    def _inner_width(self, width: int) -> int:
        if self._measured is None or self._measured[0] != width:
            self._measured = width, self._text.natural_width(_limit(width))
        return self._measured[1]

    def _remeasure(self) -> None:
        """Discard the measured width if the new text can make it wider."""
        if self._measured is not None and self._measured[1] < _limit(self._measured[0]):
            self._measured = None
        self.resized.emit()

    def _send(self, text: str) -> None:
        self.end_editing()
        if text != self._source:
            self.edited.emit(text)


def _limit(width: int) -> int:
    return round(width * _WIDEST) - 2 * _SIDE
