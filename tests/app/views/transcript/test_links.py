import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.views.transcript.links import ask_to_open, may_be_opened, shown


@pytest.mark.parametrize("address", ["https://a.org", "http://a.org/b?c", "mailto:a@b.org"])
def test_web_and_mail_addresses_may_be_opened(address: str) -> None:
    """They are what a browser or a mail program is for."""
    assert may_be_opened(address)


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
def test_nothing_else_may_be_opened(address: str) -> None:
    """Files, scripts and other programs are out of reach of an answer."""
    assert not may_be_opened(address)


def test_an_address_shows_its_hidden_marks() -> None:
    """An override that turns the end of the address around is visible."""
    assert shown("https://a.org/\u202etxt") == "https://a.org/⟨U+202E⟩txt"


@pytest.mark.parametrize(("answer", "opened"), [("Open", ["https://a.org/x"]), ("Cancel", [])])
def test_a_link_is_opened_only_after_its_address_was_shown(
    qtbot: QtBot, page: QWidget, monkeypatch: pytest.MonkeyPatch, answer: str, opened: list[str]
) -> None:
    """The question has the whole address in it, and Cancel opens nothing."""
    seen: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: seen.append(url.toString()))
    page.show()
    ask_to_open(page, "https://a.org/x")
    question = page.findChild(QMessageBox)
    assert "https://a.org/x" in question.informativeText()
    button = next(button for button in question.buttons() if button.text().strip("&") == answer)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert seen == opened
