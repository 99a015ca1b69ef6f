"""What everything in one transcript shares."""

from PySide6.QtCore import QObject

from app.views.kit.theme import Theme
from app.views.transcript.formulas import Formulas
from app.views.transcript.idle import IdleQueue
from app.views.transcript.lexers import Lexers
from app.views.transcript.markdown import Markdown
from app.views.transcript.pasted_text import Typed


class Kit:
    """The theme, the parsers, and what is drawn and coloured in idle slices."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        self.theme = theme
        self.idle = IdleQueue(parent)
        self.formulas = Formulas(self.idle, parent)
        self.lexers = Lexers(parent)
        self.markdown = Markdown()
        self.typed = Typed()
        self.unfolds_thinking = True

    def finish(self) -> None:
        """Do now what would be done in idle slices."""
        self.idle.finish()
        self.formulas.wait()
        self.idle.finish()
