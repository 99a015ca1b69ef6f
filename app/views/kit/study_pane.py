"""Base of the views of a study, its charts and its texts, which may be next to its table."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


class StudyPane(QWidget):
    """A view built from the Lab and the theme. It updates itself with the Lab."""

    chat_requested = Signal(str)  # the label of a row
    selected = Signal(str)  # the key of a line that was clicked
    is_next_to_table = False
    """Whether the table is shown next to it if the window is wide enough for both."""

    def select(self, key: str) -> None:
        """Highlight the line with this key, if the view has it."""
