"""Writes prose blocks into a QTextDocument, one QTextBlock each, in the colors and fonts of the theme."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, Self

from markdown_it.token import Token
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetricsF, QTextBlockFormat, QTextCharFormat, QTextCursor, QTextOption

from app.views.kit.plain_text import plain
from app.views.kit.theme import Theme
from app.views.transcript.blocks import Block, BlockKind
from app.views.transcript.format_properties import DISPLAY, FORMULA_OBJECT, INLINE_CODE, LATEX, NESTING, RULE
from app.views.transcript.formulas import Formulas, set_alignment
from app.views.transcript.latex import as_text
from app.views.transcript.links import display_address, is_openable

Tone = Literal["text", "secondary"]

_OBJECT = "\ufffc"
_LINE_END = "\u2028"
_HEADINGS = (1.47, 1.27, 1.13, 1.0, 1.0, 1.0)
"""Font sizes of headings in ems, from level 1."""
_STEPS = {"q": 1.2, "l": 1.7}
"""Indentation per nesting level, in ems."""
_DEEPEST_MARGIN = 12.0
"""Largest indentation, in ems."""
_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Style:
    """Look of a run of characters."""

    bold: bool = False
    italic: bool = False
    struck: bool = False
    code: bool = False
    faint: bool = False
    raised: bool = False
    address: str = ""
    heading: int = 0


@dataclass(frozen=True, slots=True)
class _Shape:
    """Everything that determines a block format. `gap` is the space above, in ems."""

    kind: BlockKind
    nesting: str
    has_marker: bool
    level: int
    gap: float

    @classmethod
    def of(cls, block: Block, previous: Block | None) -> Self:
        return cls(block.kind, block.nesting, bool(block.marker), block.level, _gap(block, previous))


class BlockWriter:
    """Writes in one tone of color. `inline` parses the Markdown inside a block."""

    def __init__(self, theme: Theme, formulas: Formulas, inline: Callable[[str], list[Token]], tone: Tone) -> None:
        self._theme = theme
        self._formulas = formulas
        self._inline = inline
        self._tone = tone
        self._formats: dict[_Style, QTextCharFormat] = {}
        self._block_formats: dict[_Shape, QTextBlockFormat] = {}
        self._has_pending = False

    def refresh(self) -> None:
        """Forget the formats of the previous theme."""
        self._formats.clear()
        self._block_formats.clear()

    @property
    def em(self) -> int:
        """Font size of the body text, in pixels."""
        return self._theme.font("body").pixelSize()

    def write(self, cursor: QTextCursor, block: Block, previous: Block | None) -> bool:
        """Write `block` into the empty QTextBlock at `cursor`. Return True if a formula in it is not drawn yet."""
        self._has_pending = False
        style = _Style(bold=block.level > 0, heading=block.level)
        cursor.setBlockFormat(self._block_format(_Shape.of(block, previous)))
        cursor.setBlockCharFormat(self._format(style))
        if block.kind == "maths":
            self._formula(cursor, block.text, style, display=True)
            return self._has_pending
        if block.marker:
            cursor.insertText(block.marker + self._after_marker(block), self._format(replace(style, faint=True)))
        self.write_inline(cursor, block.text, style)
        return self._has_pending

    def write_inline(self, cursor: QTextCursor, text: str, style: _Style | None = None) -> bool:
        """Write the Markdown `text` at `cursor`. Return True if it has a formula that is not drawn yet."""
        self._tokens(cursor, self._inline(text), style or _Style())
        return self._has_pending

    def write_cell(self, cursor: QTextCursor, text: str, *, header: bool, alignment: Qt.AlignmentFlag) -> bool:
        """Write a table cell. Return True if it has a formula that is not drawn yet."""
        self._has_pending = False
        block_format = self._line_distance(QTextBlockFormat())
        block_format.setAlignment(alignment)
        cursor.setBlockFormat(block_format)
        return self.write_inline(cursor, text, _Style(bold=header))

    def _tokens(self, cursor: QTextCursor, tokens: Iterable[Token], style: _Style) -> None:
        outer = style
        for token in tokens:
            if token.type == "maths":
                self._formula(cursor, token.content, style, display=token.markup in ("$$", "\\["))
            elif token.type == "footnote":
                cursor.insertText(token.content, self._format(replace(style, raised=True)))
            elif token.type == "image":
                self._image(cursor, token, style)
            elif token.nesting:
                style = _next_style(style, token, outer)
            else:
                run_style = replace(style, code=True) if token.type == "code_inline" else style
                text = display_address(_plain_text(token)) if style.address else _plain_text(token)
                cursor.insertText(text, self._format(run_style))

    def _image(self, cursor: QTextCursor, token: Token, style: _Style) -> None:
        address = _address(token, "src")
        text = f"{token.content} ({display_address(address)})" if token.content else display_address(address)
        cursor.insertText(text or "image", self._format(replace(style, address=address)))

    def _formula(self, cursor: QTextCursor, latex: str, style: _Style, *, display: bool) -> None:
        if self._formulas.is_pending(latex, display=display):
            self._has_pending = True
        formula = self._formulas.get(latex, display=display)
        if formula is None and (text := as_text(latex)):
            cursor.insertText(text, self._format(style))
            return
        if formula is None:
            cursor.insertText(latex.replace("\n", _LINE_END), self._format(replace(style, code=True)))
            return
        char_format = QTextCharFormat(self._format(style))
        char_format.setObjectType(FORMULA_OBJECT)
        char_format.setProperty(LATEX, latex)
        char_format.setProperty(DISPLAY, display)
        set_alignment(char_format, formula)
        cursor.insertText(_OBJECT, char_format)

    def _block_format(self, shape: _Shape) -> QTextBlockFormat:
        if shape not in self._block_formats:
            self._block_formats[shape] = self._new_block_format(shape)
        return self._block_formats[shape]

    def _new_block_format(self, shape: _Shape) -> QTextBlockFormat:
        em = self.em
        block_format = self._line_distance(QTextBlockFormat())
        block_format.setLeftMargin(nesting_margin(shape.nesting, em))
        block_format.setTopMargin(shape.gap * em)
        if shape.nesting:
            block_format.setProperty(NESTING, shape.nesting)
        if shape.has_marker:
            block_format.setTextIndent(-_STEPS["l"] * em)
            block_format.setTabPositions([QTextOption.Tab(_STEPS["l"] * em, QTextOption.TabType.LeftTab)])
        if shape.kind == "maths":
            block_format.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        if shape.kind == "rule":
            block_format.setProperty(RULE, True)
            block_format.setLineHeight(1, QTextBlockFormat.LineHeightTypes.FixedHeight.value)
        if shape.level:
            block_format.setHeadingLevel(shape.level)
        return block_format

    def _line_distance(self, block: QTextBlockFormat) -> QTextBlockFormat:
        """Set a fixed line distance: a proportional one would grow with tall formulas."""
        block.setLineHeight(round(self.em * 0.3), QTextBlockFormat.LineHeightTypes.LineDistanceHeight.value)
        return block

    def _after_marker(self, block: Block) -> str:
        width = QFontMetricsF(self._theme.font("body")).horizontalAdvance(block.marker)
        return "\t" if width < _STEPS["l"] * self.em - 3 else " "

    def _format(self, style: _Style) -> QTextCharFormat:
        if style not in self._formats:
            self._formats[style] = self._new_format(style)
        return self._formats[style]

    def _new_format(self, style: _Style) -> QTextCharFormat:
        colors = self._theme.palette
        char_format = QTextCharFormat()
        char_format.setFont(self._font(style))
        is_secondary = self._tone == "secondary" or style.faint
        char_format.setForeground(colors.secondary if is_secondary else colors.text)
        char_format.setFontStrikeOut(style.struck)
        if style.raised:
            char_format.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignSuperScript)
        if style.code:
            char_format.setProperty(INLINE_CODE, True)
        if style.address:
            char_format.setAnchor(True)
            char_format.setAnchorHref(style.address)
            char_format.setToolTip(plain(display_address(style.address)))
            char_format.setForeground(colors.link)
        return char_format

    def _font(self, style: _Style) -> QFont:
        font = self._theme.font("mono" if style.code else "body", bold=style.bold)
        if style.heading:
            font.setPixelSize(round(font.pixelSize() * _HEADINGS[style.heading - 1]))
        font.setItalic(style.italic)
        return font


def nesting_margin(nesting: str, em: float) -> float:
    """Return the indentation for this nesting, in pixels."""
    return min(sum(_STEPS[level] for level in nesting), _DEEPEST_MARGIN) * em


def _next_style(style: _Style, token: Token, outer: _Style) -> _Style:
    """Return the style after `token`, which opens or closes an inline element."""
    opens = token.nesting > 0
    match token.type:
        case "strong_open" | "strong_close":
            return replace(style, bold=opens or outer.bold)
        case "em_open" | "em_close":
            return replace(style, italic=opens)
        case "s_open" | "s_close":
            return replace(style, struck=opens)
        case "link_open" | "link_close":
            return replace(style, address=_address(token, "href"))
    return style


def _plain_text(token: Token) -> str:
    """Return the text of `token` with Qt line ends, also for <br>, which models use in tables."""
    if token.type in ("softbreak", "hardbreak"):  # Chat models end lines on purpose, as in poems and addresses.
        return _LINE_END
    if token.type == "code_inline":
        return token.content
    return _BREAK_TAG.sub(_LINE_END, token.content).replace("\n", _LINE_END)


def _address(token: Token, attribute: str) -> str:
    address = str(token.attrs.get(attribute, ""))
    return address if is_openable(address) else ""


def _gap(block: Block, previous: Block | None) -> float:
    """Return the space above `block`, in ems."""
    if previous is None:
        return 0.0
    if block.kind == "heading":
        return 1.3 if block.level <= 2 else 1.0
    if previous.kind == "heading":
        return 0.45
    if "rule" in (block.kind, previous.kind):
        return 1.1
    if block.marker and "l" in previous.nesting:
        return 0.4
    return 0.75
