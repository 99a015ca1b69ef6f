"""One line of the inspector: is there a newer revision of the model on the Hub?"""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.viewmodels.library.library import Row
from app.viewmodels.library.newer_revision import Asking, Newer, NewerRevision, Unanswered, UpToDate
from app.views.kit.buttons import LinkButton
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class RevisionLine(QWidget):
    """Hidden for models of which nobody knows where they come from."""

    discover_requested = Signal(str)  # the repository

    def __init__(self, revisions: NewerRevision, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._revisions = revisions
        self._row: Row | None = None
        self._words = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._ask = LinkButton(theme, "Is there a newer revision?")
        self._ask.setToolTip("Asks the Hub, which sees that this Mac asks for this repository")
        self._open = LinkButton(theme, "Show in Discover")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._words, 1)
        row.addWidget(self._open)
        row.addWidget(self._ask)
        row.addStretch()
        self._ask.clicked.connect(lambda: revisions.ask(self._row))
        self._open.clicked.connect(self._discover)
        revisions.changed.connect(self._follow)

    def show_row(self, row: Row | None) -> None:
        """Speak of this model."""
        self._row = row
        self._follow()

    def _discover(self) -> None:
        self.discover_requested.emit(getattr(self._row, "source", ""))

    def _follow(self) -> None:
        self.setVisible(self._revisions.can_ask(self._row))
        words = ""
        match answer := self._revisions.answer(self._row):
            case Asking():
                words = "Asking the Hub…"
            case UpToDate():
                words = "The Hub has no newer revision."
            case Newer(day):
                words = f"The Hub has a newer revision, of {day}."
            case Unanswered(problem):
                words = problem
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self._open.setVisible(isinstance(answer, Newer))
        self._ask.setVisible(answer is None)
