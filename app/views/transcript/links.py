"""Links in answers: validation, display, and the question before one is opened.

The transcript fetches nothing. An answer could leak the conversation in an address, so the user sees all of it before
the browser does.
"""

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget

from app.views.transcript.safe_text import fold_lines, show_direction_marks

_SCHEMES = ("http", "https", "mailto")
_LONGEST = 2_000


def is_openable(address: str) -> bool:
    """Return True for a valid web or mail address of a sensible length."""
    return len(address) <= _LONGEST and address.partition(":")[0].lower() in _SCHEMES and QUrl(address).isValid()


def display_address(address: str) -> str:
    """Return `address` with invisible direction marks made visible."""
    return show_direction_marks(address)


def ask_to_open(parent: QWidget, address: str) -> None:
    """Show the whole address, and open it in the browser or mail app if the user agrees."""
    if not is_openable(address):
        return
    question = QMessageBox(parent)
    question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    question.setIcon(QMessageBox.Icon.Question)
    question.setTextFormat(Qt.TextFormat.PlainText)
    question.setText("Open this link outside Facet?")
    question.setInformativeText(fold_lines(display_address(address), 60))
    opens = question.addButton("Open", QMessageBox.ButtonRole.AcceptRole)
    question.addButton(QMessageBox.StandardButton.Cancel)
    question.setDefaultButton(QMessageBox.StandardButton.Cancel)
    opens.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(address)))
    question.open()
