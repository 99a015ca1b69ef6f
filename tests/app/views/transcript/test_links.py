import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.views.transcript.links import ask_to_open, display_address, is_openable


@pytest.mark.parametrize("address", ["https://a.org", "http://a.org/b?c", "mailto:a@b.org"])
def test_web_and_mail_addresses_are_openable(address: str) -> None:
    """Browsers and mail apps handle them."""
    assert is_openable(address)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://a.org",
        "a.md",
        "",
        "https://" + "a" * 3000,
    ],
)
def test_other_addresses_are_not_openable(address: str) -> None:
    """An answer cannot reach files, scripts or other apps."""
    assert not is_openable(address)


def test_an_address_shows_its_direction_marks() -> None:
    """An override that reverses the end of the address is visible."""
    assert display_address("https://a.org/\u202etxt") == "https://a.org/⟨U+202E⟩txt"


@pytest.mark.parametrize(("answer", "opened"), [("Open", ["https://a.org/x"]), ("Cancel", [])])
def test_a_link_opens_only_after_confirmation(
    qtbot: QtBot, page: QWidget, monkeypatch: pytest.MonkeyPatch, answer: str, opened: list[str]
) -> None:
    """The question shows the whole address, and Cancel opens nothing."""
    addresses: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: addresses.append(url.toString()))
    page.show()
    ask_to_open(page, "https://a.org/x")
    question = page.findChild(QMessageBox)
    assert "https://a.org/x" in question.informativeText()
    button = next(button for button in question.buttons() if button.text().strip("&") == answer)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert addresses == opened
