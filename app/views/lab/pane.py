"""What stands beside the table of a study: the seam for its charts and its texts."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


class Pane(QWidget):
    """Is made with the lab and the theme, and follows the lab by itself."""

    chat_requested = Signal(str)  # the label of a row
    selected = Signal(str)  # likewise, of one that was clicked
    is_beside_table = False
    """Whether the table stands beside it, where there is room for both."""

    def select(self, label: str) -> None:
        """Mark what belongs to the row called `label`, if anything here does."""
