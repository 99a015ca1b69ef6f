"""A block of code: its language, a copy button, and the code itself, which scrolls sideways and never wraps."""

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
from app.views.transcript.kit import Kit
from app.views.transcript.rich_text import RichText
from app.views.transcript.safe_text import folded, without_direction
from app.views.transcript.sideways import scroll_sideways

_LONGEST_LINE = 2_000
"""Characters. Longer lines are broken on the screen, and copied whole by the button."""
_MOST_CHARACTERS, _MOST_LINES = 300_000, 5_000
"""What is shown of a text; the button copies all of it."""
_PADDING = 14
_COPIED_MS = 1_500


class Code(RichText):
    """The code itself."""

    def __init__(self, theme: Theme, formulas: Formulas, parent: QWidget) -> None:
        super().__init__(theme, formulas, parent)
        self._shown = ""
        self.setLineWrapMode(QTextEdit.LineWrapMode.NoWrap)
        self.setWordWrapMode(QTextOption.WrapMode.NoWrap)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)

    def dress(self) -> None:
        super().dress()
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
        """Show `text`; where it begins like what is there, only the rest is added."""
        text = folded(without_direction(_beginning(text)), _LONGEST_LINE)
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        known = len(self._shown)
        if not text.startswith(self._shown):
            cursor.movePosition(QTextCursor.MoveOperation.Start, QTextCursor.MoveMode.KeepAnchor)
            known = 0
        cursor.insertText(text[known:])
        if not known:
            self.moveCursor(QTextCursor.MoveOperation.Start)
        self._shown = text

    def height_for(self, width: int) -> int:
        height = super().height_for(width)
        is_wide = self.document().idealWidth() > width
        return height + (self.scroll_bar_height() if is_wide else 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        scroll_sideways(self.horizontalScrollBar(), event)


class CodeBlock(QWidget):
    """The code in its frame."""

    reflowed = Signal()

    def __init__(self, kit: Kit, parent: QWidget) -> None:
        super().__init__(parent)
        theme = self._theme = kit.theme
        self._block = Block("code")
        self.text = Code(theme, kit.formulas, self)
        self._highlighter = Highlighter(self.text.document(), theme, kit.idle, kit.lexers, self)
        self._copy = IconButton(theme, "copy", "Copy code", self)
        self._copy.clicked.connect(self._take_copy)
        self._back = QTimer(self, singleShot=True, interval=_COPIED_MS)
        self._back.timeout.connect(lambda: self._copy.set_icon("copy"))

    def show_block(self, block: Block) -> None:
        """Show `block`, which is `code` or `plain`."""
        if block == self._block:
            return
        self._block = block
        self.text.show_code(block.text)
        self.text.setAccessibleName(self._label())
        self._highlighter.colour(block.language)
        self.update(self._header())

    def restyle(self) -> None:
        self.text.dress()
        self._highlighter.recolour()
        self.update()

    def height_for(self, width: int) -> int:
        """Return the height for `width`, and lay the parts out."""
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
        colours = self._theme.palette
        painter = QPainter(self)
        rounded(painter, QRectF(self.rect()), 10, colours.code_background, colours.border)
        painter.setFont(self._theme.font("small"))
        painter.setPen(colours.secondary)
        area = self._header().adjusted(_PADDING, 2, -_PADDING - self._copy.width(), 0)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, self._label())

    def _header(self) -> QRect:
        return QRect(0, 0, self.width(), self._theme.scaled(18) + 20)

    def _label(self) -> str:
        label = PLAIN_LABEL if self._block.kind == "plain" else self._block.language or "Code"
        return label if _is_shown_whole(self._block.text) else f"{label} · only the beginning; Copy takes all"

    def _take_copy(self) -> None:
        QGuiApplication.clipboard().setText(self._block.text)
        self._copy.set_icon("check")
        self._back.start()


def _is_shown_whole(text: str) -> bool:
    return len(text) <= _MOST_CHARACTERS and text.count("\n") < _MOST_LINES


def _beginning(text: str) -> str:
    """Return as much of `text` as is shown."""
    if _is_shown_whole(text):
        return text
    return "\n".join(text[:_MOST_CHARACTERS].split("\n", _MOST_LINES)[:_MOST_LINES])
