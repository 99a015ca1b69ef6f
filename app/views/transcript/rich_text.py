"""Read-only rich text without frame or scroll bar, as high as its content. Formulas are copied as LaTeX."""

from math import ceil
from typing import Any

from PySide6.QtCore import QMimeData, QRectF, Qt, QUrl, Signal
from PySide6.QtGui import (
    QFont,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
    QTextBlock,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextBrowser, QTextEdit, QWidget

from app.views.kit.theme import Theme
from app.views.transcript.decorations import paint_behind
from app.views.transcript.format_properties import DISPLAY, FORMULA_OBJECT, LATEX
from app.views.transcript.formulas import Formulas
from app.views.transcript.links import display_address

_LINK_KEYS = (Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Return, Qt.Key.Key_Enter)


class RichText(QTextBrowser):
    """Shows a document. It loads no resources: every request is refused."""

    link_clicked = Signal(str)

    def __init__(self, theme: Theme, formulas: Formulas, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self._has_thin_bar = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # The viewport has no width before the text is visible. Starting at the final width saves a second layout.
        self.setLineWrapMode(QTextEdit.LineWrapMode.FixedPixelWidth)
        self.setLineWrapColumnOrWidth(parent.width())
        self.setOpenLinks(False)
        self.setAcceptDrops(False)
        self.setUndoRedoEnabled(False)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.viewport().setAutoFillBackground(False)
        document = self.document()
        document.setDocumentMargin(0)
        document.documentLayout().registerHandler(FORMULA_OBJECT, formulas.text_object)
        self.anchorClicked.connect(lambda address: self.link_clicked.emit(address.toString()))
        self.highlighted.connect(lambda address: self.setStatusTip(display_address(address.toString())))
        self.apply_theme()

    def apply_theme(self) -> None:
        """Apply the colors and font of the theme."""
        colors = self.theme.palette
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Text, colors.text)
        palette.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        palette.setColor(QPalette.ColorRole.Highlight, colors.selection)
        palette.setColor(QPalette.ColorRole.HighlightedText, colors.text)
        palette.setColor(QPalette.ColorRole.Link, colors.link)
        self.setPalette(palette)
        font = self.theme.font("body")
        self.setFont(font)
        self.document().setDefaultFont(QFont(font))

    def height_for(self, width: int) -> int:
        """Return the height of the text at `width` pixels."""
        if self.lineWrapColumnOrWidth() != width:
            self.setLineWrapColumnOrWidth(width)
        return ceil(self.document().size().height())

    def natural_width(self, limit: int) -> int:
        """Return the width of the text when it may be at most `limit` pixels wide."""
        self.setLineWrapColumnOrWidth(limit)
        return min(ceil(self.document().idealWidth()) + 1, limit)

    def scroll_bar_height(self) -> int:
        """Return the height of the horizontal scroll bar, which is styled at first use."""
        if not self._has_thin_bar:
            self._has_thin_bar = True
            self.theme.thin_scroll_bars(self)
        return self.horizontalScrollBar().sizeHint().height()

    def loadResource(self, _type: int, _name: QUrl | str) -> Any:
        return None

    def createMimeDataFromSelection(self) -> QMimeData:
        data = QMimeData()
        data.setText(self.selected_text())
        return data

    def selected_text(self) -> str:
        """Return the selection, with formulas as LaTeX between dollar signs."""
        cursor = self.textCursor()
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        block, lines = self.document().findBlock(start), []
        while block.isValid() and block.position() < end:
            lines.append(_text_between(QTextCursor(block), block, start, end))
            block = block.next()
        return "\n".join(lines)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_text_key = event.matches(QKeySequence.StandardKey.Copy) or event.matches(QKeySequence.StandardKey.SelectAll)
        if is_text_key or event.key() in _LINK_KEYS:
            super().keyPressEvent(event)
        else:
            event.ignore()  # the transcript scrolls

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        offset = self.horizontalScrollBar().value()
        painter.translate(-offset, 0)
        paint_behind(painter, self.document(), QRectF(event.rect()).translated(offset, 0), self.theme.palette)
        painter.end()
        super().paintEvent(event)


def _text_between(cursor: QTextCursor, block: QTextBlock, start: int, end: int) -> str:
    pieces = []
    iterator = block.begin()
    while not iterator.atEnd():
        fragment = iterator.fragment()
        first, last = fragment.position(), fragment.position() + fragment.length()
        cursor.setPosition(min(max(start, first), last))
        cursor.setPosition(max(min(end, last), first), QTextCursor.MoveMode.KeepAnchor)
        text = cursor.selectedText()
        if fragment.charFormat().objectType() == FORMULA_OBJECT:
            mark = "$$" if fragment.charFormat().boolProperty(DISPLAY) else "$"
            text = f"{mark}{fragment.charFormat().stringProperty(LATEX)}{mark}" * len(text)
        pieces.append(text)
        iterator += 1
    return "".join(pieces).replace("\u2028", "\n").replace("\t", " ")
