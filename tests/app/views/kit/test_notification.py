import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.views.kit.notification import NotificationBanner, Notifier
from app.views.kit.theme import Theme


@pytest.fixture
def notifier(qapp: object) -> Notifier:
    return Notifier()


@pytest.fixture
def banner(notifier: Notifier, theme: Theme, qtbot: QtBot) -> NotificationBanner:
    banner = NotificationBanner(notifier, theme)
    qtbot.addWidget(banner)
    return banner


def button(banner: NotificationBanner, text: str) -> QAbstractButton:
    return next(
        child for child in banner.findChildren(QAbstractButton) if text in (child.text(), child.accessibleName())
    )


def visible_labels(banner: NotificationBanner) -> list[str]:
    return [label.text() for label in banner.findChildren(QLabel) if label.isVisible() and label.text()]


def test_the_banner_is_hidden_at_first(banner: NotificationBanner) -> None:
    assert not banner.isVisible()


def test_an_error_stays_until_it_is_dismissed(banner: NotificationBanner, notifier: Notifier) -> None:
    """Title and message are shown verbatim, markup included, until the user dismisses them."""
    notifier.error("The engine stopped", "It used <b>too much</b> memory.")
    assert visible_labels(banner) == ["The engine stopped", "It used <b>too much</b> memory."]
    button(banner, "Dismiss").click()
    assert not banner.isVisible()


def test_an_error_can_be_withdrawn(banner: NotificationBanner, notifier: Notifier) -> None:
    """Only the notification with that title is withdrawn."""
    notifier.error("The engine stopped", "It was killed.")
    notifier.withdraw("The disk is full")
    assert banner.isVisible()
    notifier.withdraw("The engine stopped")
    assert not banner.isVisible()


def test_details_are_shown_on_request(banner: NotificationBanner, notifier: Notifier) -> None:
    """The last lines of a log are hidden at first."""
    notifier.error("Title", "Message", "last line of the log")
    details = banner.findChild(QPlainTextEdit)
    assert not details.isVisible()
    button(banner, "Show Details").click()
    assert details.isVisible()
    assert details.toPlainText() == "last line of the log"


def test_the_action_is_called_once_and_closes_the_banner(banner: NotificationBanner, notifier: Notifier) -> None:
    """Undo, for example, calls its function and hides the notification."""
    done: list[str] = []
    notifier.information("Deleted.", action_title="Undo", action=lambda: done.append("undone"))
    button(banner, "Undo").click()
    assert done == ["undone"]
    assert not banner.isVisible()


def test_a_notification_replaces_the_previous_one(banner: NotificationBanner, notifier: Notifier) -> None:
    """Notifications do not pile up, and no button of the previous one remains."""
    notifier.information("Deleted.", action_title="Undo", action=lambda: None)
    notifier.error("Title", "Message")
    assert visible_labels(banner) == ["Title", "Message"]
    visible = [child for child in banner.findChildren(QAbstractButton) if child.isVisible()]
    assert visible == [button(banner, "Dismiss")]
