"""Services that the widgets of one transcript share."""

from PySide6.QtCore import QObject

from app.views.kit.theme import Theme
from app.views.transcript.formulas import Formulas
from app.views.transcript.idle_queue import IdleQueue
from app.views.transcript.lexers import Lexers
from app.views.transcript.markdown import MarkdownParser
from app.views.transcript.plain_input import PlainInput


class TranscriptServices:
    """The theme, the parsers, and the caches that are filled in idle slices."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        self.theme = theme
        self.idle = IdleQueue(parent)
        self.formulas = Formulas(self.idle, parent)
        self.lexers = Lexers(parent)
        self.markdown = MarkdownParser()
        self.plain_input = PlainInput()
        self.unfolds_thinking = True

    def finish(self) -> None:
        """Run all idle work now."""
        self.idle.finish()
        self.formulas.wait()
        self.idle.finish()
