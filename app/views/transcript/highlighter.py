"""Syntax highlighting with pygments, in idle slices. Knows nothing about Markdown.

While code streams in, it is highlighted again at intervals that keep the cost below a tenth of the time.
"""

from collections.abc import Iterator
from functools import cache
from time import perf_counter
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QTextCharFormat, QTextDocument, QTextLayout

from app.views.kit.theme import Theme
from app.views.transcript.idle_queue import IdleQueue
from app.views.transcript.lexers import Lexers
from app.views.transcript.safe_text import utf16_length

_LONGEST, _LONGEST_LINE = 100_000, 2_000
"""Characters. Longer code is not highlighted: its lexing time has no bound."""
_TOKENS_A_STEP = 60
_PAUSE = 9
"""Pause after a pass, as a multiple of the time that the pass took."""

# Keys of `Palette.code` by pygments token; the longest matching name wins.
_COLORS = {
    "Comment": "comment",
    "Comment.Preproc": "keyword",
    "Keyword": "keyword",
    "Keyword.Constant": "constant",
    "Keyword.Type": "type",
    "Literal.Date": "number",
    "Literal.Number": "number",
    "Literal.String": "string",
    "Literal.String.Interpol": "constant",
    "Name.Attribute": "attribute",
    "Name.Builtin": "builtin",
    "Name.Class": "type",
    "Name.Constant": "constant",
    "Name.Decorator": "function",
    "Name.Exception": "type",
    "Name.Function": "function",
    "Name.Tag": "tag",
    "Name.Variable": "attribute",
    "Operator": "operator",
    "Operator.Word": "keyword",
    "Punctuation": "punctuation",
    "Generic.Deleted": "error",
    "Generic.Heading": "keyword",
    "Generic.Inserted": "string",
    "Generic.Subheading": "keyword",
}

Run = tuple[int, int, str]
"""Start and length in UTF-16 units of a run of characters in a line, and its key in `Palette.code`."""


class Highlighter(QObject):
    """Highlights one document."""

    def __init__(self, document: QTextDocument, theme: Theme, idle: IdleQueue, lexers: Lexers, parent: QObject) -> None:
        super().__init__(parent)
        self._document = document
        self._theme = theme
        self._idle = idle
        self._language = ""
        self._lexers = lexers
        lexers.loaded.connect(self._start_when_loaded)
        self._lines: list[list[Run]] = []
        self._job: Iterator[None] | None = None
        self._is_stale = False
        self._pause = QTimer(self, singleShot=True)
        self._pause.timeout.connect(self._start)

    def highlight(self, language: str) -> None:
        """Schedule highlighting. Call this whenever the text has changed."""
        if language != self._language:
            self._language, self._lines = language, []
        self._is_stale = bool(language)
        if self._job is None and not self._pause.isActive():
            self._start()

    def rehighlight(self) -> None:
        """Apply the colors of the current theme."""
        self._lines = []
        self.highlight(self._language)

    def _start_when_loaded(self, language: str) -> None:
        if language == self._language:
            self.highlight(language)

    def _start(self) -> None:
        if self._is_stale:
            self._is_stale = False
            self._job = self._pass()
            self._idle.add(self._job, self)

    def _pass(self) -> Iterator[None]:
        spent = 0.0
        steps = self._highlight_all()
        while True:
            start = perf_counter()
            is_done = next(steps, steps) is steps
            spent += perf_counter() - start
            if is_done:
                break
            yield
        self._job = None
        self._pause.start(round(spent * 1000 * _PAUSE))

    def _highlight_all(self) -> Iterator[None]:
        text = self._document.toPlainText()
        lexer = self._lexers.get(self._language)
        if lexer is None or len(text) > _LONGEST or max(map(len, text.split("\n"))) > _LONGEST_LINE:
            return
        yield
        yield from self._highlight_lines(lexer, text)

    def _highlight_lines(self, lexer: Any, text: str) -> Iterator[None]:
        number, runs = 0, list[Run]()
        for count, (position, token, value) in enumerate(lexer.get_tokens_unprocessed(text)):
            kind = _kind(token)
            column = utf16_length(text[text.rfind("\n", 0, position) + 1 : position])
            pieces = value.split("\n")
            for index, piece in enumerate(pieces):
                if index:
                    self._highlight_line(number, runs)
                    number, runs, column = number + 1, [], 0
                if kind and piece:
                    runs.append((column, utf16_length(piece), kind))
            if count % _TOKENS_A_STEP == _TOKENS_A_STEP - 1:
                yield
        self._highlight_line(number, runs)

    def _highlight_line(self, number: int, runs: list[Run]) -> None:
        if number < len(self._lines) and self._lines[number] == runs:
            return
        self._lines[number : number + 1] = [runs]
        block = self._document.findBlockByNumber(number)
        if block.isValid():
            block.layout().setFormats([self._range(run) for run in runs])
            self._document.markContentsDirty(block.position(), block.length())

    def _range(self, run: Run) -> QTextLayout.FormatRange:
        format_range = QTextLayout.FormatRange()
        format_range.start, format_range.length, kind = run
        format_ = QTextCharFormat()
        format_.setForeground(self._theme.palette.code[kind])
        format_range.format = format_
        return format_range


@cache
def _kind(token: Any) -> str:
    name = str(token).removeprefix("Token.")
    while name:
        if name in _COLORS:
            return _COLORS[name]
        name = name.rpartition(".")[0]
    return ""
