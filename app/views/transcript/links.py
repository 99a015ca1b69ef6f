"""Addresses in answers: which may be opened, how they are shown, and the question before one is opened.

Nothing here or anywhere in the transcript fetches anything. A model's answer could carry the conversation away in an
address, so a person sees it whole before the browser does.
"""

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget

from app.views.transcript.safe_text import folded, without_direction

_SCHEMES = ("http", "https", "mailto")
_LONGEST = 2_000


def may_be_opened(address: str) -> bool:
    """Tell whether `address` is a web or mail address, whole and of a sensible length."""
    return len(address) <= _LONGEST and address.partition(":")[0].lower() in _SCHEMES and QUrl(address).isValid()


def shown(address: str) -> str:
    """Return `address` as a person should see it: without marks that turn the direction of writing."""
    return without_direction(address)


def ask_to_open(parent: QWidget, address: str) -> None:
    """Show the whole address, and open it in the browser or the mail program if the answer is yes."""
    if not may_be_opened(address):
        return
    question = QMessageBox(parent)
    question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    question.setIcon(QMessageBox.Icon.Question)
    question.setTextFormat(Qt.TextFormat.PlainText)
    question.setText("Open this link outside Facet?")
    question.setInformativeText(folded(shown(address), 60))
    opens = question.addButton("Open", QMessageBox.ButtonRole.AcceptRole)
    question.addButton(QMessageBox.StandardButton.Cancel)
    question.setDefaultButton(QMessageBox.StandardButton.Cancel)
    opens.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(address)))
    question.open()
