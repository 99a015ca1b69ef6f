"""What stands beside the table of a study: the seam for its charts and its texts."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


class Pane(QWidget):
    """Is made with the lab and the theme, and follows the lab by itself."""

    chat_requested = Signal(str)  # the label of a row
    selected = Signal(str)  # the key of a line that was clicked
    is_beside_table = False
    """Whether the table stands beside it, where there is room for both."""

    def select(self, key: str) -> None:
        """Mark what belongs to the line with this key, if anything here does."""
