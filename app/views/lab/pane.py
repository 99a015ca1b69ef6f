"""What stands beside the table of a study: the seam for its charts and its texts."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


class Pane(QWidget):
    """Is made with the lab and the theme, and follows the lab by itself."""

    chat_requested = Signal(str)  # the label of a row
