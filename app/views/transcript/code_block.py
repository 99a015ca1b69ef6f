"""A code block: its language, a copy button, and the code, which scrolls sideways and never wraps."""

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFont,
    QGuiApplication,
    QPainter,
    QPaintEvent,
    QTextBlockFormat,
    QTextCursor,
    QTextOption,
    QWheelEvent,
)
from PySide6.QtWidgets import QTextEdit, QWidget

from app.views.kit.buttons import IconButton
from app.views.kit.painting import rounded
from app.views.kit.theme import Theme
from app.views.transcript.blocks import PLAIN_LABEL, Block
from app.views.transcript.formulas import Formulas
from app.views.transcript.highlighter import Highlighter
from app.views.transcript.rich_text import RichText
from app.views.transcript.safe_text import fold_lines, show_direction_marks
from app.views.transcript.services import TranscriptServices
from app.views.transcript.sideways import scroll_sideways

_LONGEST_LINE = 2_000
"""Characters. Longer lines are broken on the screen; the button copies them unbroken."""
_MOST_CHARACTERS, _MOST_LINES = 300_000, 5_000
"""Longest code on the screen; the button copies all of it."""
_PADDING = 14
_COPIED_MS = 1_500


class CodeText(RichText):
    """The text of a code block."""

    def __init__(self, theme: Theme, formulas: Formulas, parent: QWidget) -> None:
        super().__init__(theme, formulas, parent)
        self._shown = ""
        self.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap)
        self.setWordWrapMode(QTextOption.WrapMode.NoWrap)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def apply_theme(self) -> None:
        super().apply_theme()
        font = self.theme.font("mono")
        self.setFont(font)
        self.document().setDefaultFont(QFont(font))
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        lines = QTextBlockFormat()
        lines.setLineHeight(round(font.pixelSize() * 1.5), QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        cursor = QTextCursor(self.document())
        cursor.select(QTextCursor.SelectionType.Document)
        cursor.setBlockFormat(lines)

    def show_code(self, text: str) -> None:
        """Show `text`. If it starts with the current text, only the rest is added."""
        text = fold_lines(show_direction_marks(_visible_part(text)), _LONGEST_LINE)
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        start = len(self._shown)
        if not text.startswith(self._shown):
            cursor.movePosition(QTextCursor.MoveOperation.Start, QTextCursor.MoveMode.KeepAnchor)
            start = 0
        cursor.insertText(text[start:])
        if not start:
            self.moveCursor(QTextCursor.MoveOperation.Start)
        self._shown = text

    def height_for(self, width: int) -> int:
        height = super().height_for(width)
        is_wide = self.document().idealWidth() > width
        return height + (self.scroll_bar_height() if is_wide else 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        scroll_sideways(self.horizontalScrollBar(), event)


class CodeBlock(QWidget):
    """A frame with a header above the code."""

    reflowed = Signal()

    def __init__(self, services: TranscriptServices, parent: QWidget) -> None:
        super().__init__(parent)
        theme = self._theme = services.theme
        self._block = Block("code")
        self.text = CodeText(theme, services.formulas, self)
        self._highlighter = Highlighter(self.text.document(), theme, services.idle, services.lexers, self)
        self._copy = IconButton(theme, "copy", "Copy code", self)
        self._copy.clicked.connect(self._copy_code)
        self._copy_icon_timer = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._copy_icon_timer.timeout.connect(lambda: self._copy.set_icon("copy"))

    def show_block(self, block: Block) -> None:
        """Show `block`, of kind `code` or `plain`."""
        if block == self._block:
            return
        self._block = block
        self.text.show_code(block.text)
        self.text.setAccessibleName(self._label())
        self._highlighter.highlight(block.language)
        self.update(self._header())

    def restyle(self) -> None:
        self.text.apply_theme()
        self._highlighter.rehighlight()
        self.update()

    def height_for(self, width: int) -> int:
        """Arrange the parts for `width`, and return their height."""
        top = self._header().height()
        height = self.text.height_for(width - 2 * _PADDING)
        self.text.setGeometry(_PADDING, top, width - 2 * _PADDING, height)
        side = self._copy.sizeHint()
        corner = QPoint(width - side.width() - 6, (top - side.height()) // 2 + 1)
        self._copy.setGeometry(QRect(corner, side))
        return top + height + _PADDING - 2

    def sizeHint(self) -> QSize:
        return QSize(320, self.height_for(320))

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        painter = QPainter(self)
        rounded(painter, QRectF(self.rect()), 10, colors.code_background, colors.border)
        painter.setFont(self._theme.font("small"))
        painter.setPen(colors.secondary)
        area = self._header().adjusted(_PADDING, 2, -_PADDING - self._copy.width(), 0)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, self._label())

    def _header(self) -> QRect:
        return QRect(0, 0, self.width(), self._theme.scaled(18) + 20)

    def _label(self) -> str:
        label = PLAIN_LABEL if self._block.kind == "plain" else self._block.language or "Code"
        return label if _is_shown_whole(self._block.text) else f"{label} · truncated; Copy includes everything"

    def _copy_code(self) -> None:
        QGuiApplication.clipboard().setText(self._block.text)
        self._copy.set_icon("check")
        self._copy_icon_timer.start()


def _is_shown_whole(text: str) -> bool:
    return len(text) <= _MOST_CHARACTERS and text.count("\n") < _MOST_LINES


def _visible_part(text: str) -> str:
    """Return the part of `text` that is shown."""
    if _is_shown_whole(text):
        return text
    return "\n".join(text[:_MOST_CHARACTERS].split("\n", _MOST_LINES)[:_MOST_LINES])
