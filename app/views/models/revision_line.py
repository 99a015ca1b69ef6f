"""Line of the inspector that checks the Hub for a newer revision."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.viewmodels.library.library import Row
from app.viewmodels.library.revision_checker import CheckFailed, Checking, NewerAvailable, RevisionChecker, UpToDate
from app.views.kit.buttons import LinkButton
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme


class RevisionLine(QWidget):
    """Shows the revision status; hidden for models of unknown origin."""

    discover_requested = Signal(str)  # repository

    def __init__(self, revisions: RevisionChecker, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._revisions = revisions
        self._row: Row | None = None
        self._label = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self._check = LinkButton(theme, "Check for Newer Revision")
        self._check.setToolTip("Contacts Hugging Face, which sees the name of the repository")
        self._open = LinkButton(theme, "Show in Discover")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._label, 1)
        row.addWidget(self._open)
        row.addWidget(self._check)
        row.addStretch()
        self._check.clicked.connect(lambda: revisions.check(self._row))
        self._open.clicked.connect(self._discover)
        revisions.changed.connect(self._refresh)

    def show_row(self, row: Row | None) -> None:
        """Show the status of this model."""
        self._row = row
        self._refresh()

    def _discover(self) -> None:
        self.discover_requested.emit(getattr(self._row, "source", ""))

    def _refresh(self) -> None:
        self.setVisible(self._revisions.can_check(self._row))
        text = ""
        match status := self._revisions.status(self._row):
            case Checking():
                text = "Checking Hugging Face…"
            case UpToDate():
                text = "This is the latest revision."
            case NewerAvailable(day):
                text = f"A newer revision from {day} is available."
            case CheckFailed(problem):
                text = problem
        self._label.setText(text)
        self._label.setVisible(bool(text))
        self._open.setVisible(isinstance(status, NewerAvailable))
        self._check.setVisible(status is None)
