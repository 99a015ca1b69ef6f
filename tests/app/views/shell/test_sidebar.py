import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QListView
from pytestqt.qtbot import QtBot

from app.views.shell.sidebar import Sidebar
from app.views.shell.workbench import Workbench

TIMEOUT_MS = 20_000

pytestmark = pytest.mark.process


@pytest.fixture
def two_chats(workbench: Workbench, qtbot: QtBot) -> Workbench:
    """Two conversations; "Second" is newer and open."""
    for text in ("First", "Second"):
        workbench.new_chat()
        assert workbench.chat.send(text)
        qtbot.waitUntil(lambda: not workbench.chat.busy, timeout=TIMEOUT_MS)
    return workbench


def view_of(workbench: Workbench) -> QListView:
    return workbench.sidebar.findChild(QListView)


def test_it_selects_the_open_conversation(two_chats: Workbench) -> None:
    """The open conversation is the current row; a new one has no row."""
    assert view_of(two_chats).currentIndex().data() == "Second"
    two_chats.new_chat()
    assert not view_of(two_chats).currentIndex().isValid()


def test_the_focus_alone_opens_nothing(two_chats: Workbench, qtbot: QtBot) -> None:
    """A new list that gets the focus makes its first row current; this neither opens nor deletes it."""
    two_chats.new_chat()
    sidebar = Sidebar(two_chats.conversations, two_chats.chat, two_chats.theme)
    qtbot.addWidget(sidebar)
    view = sidebar.findChild(QListView)
    QApplication.sendEvent(view, QFocusEvent(QEvent.Type.FocusIn, Qt.FocusReason.TabFocusReason))
    assert view.currentIndex().isValid()
    qtbot.keyClick(view, Qt.Key.Key_Delete)
    assert two_chats.chat.conversation is None
    assert two_chats.conversations.rowCount() == 2


def test_arrow_keys_open_conversations(two_chats: Workbench, qtbot: QtBot) -> None:
    """Down opens the older conversation."""
    qtbot.keyClick(view_of(two_chats), Qt.Key.Key_Down)
    assert two_chats.chat.title == "First"


def test_stepping_stops_at_the_ends(two_chats: Workbench) -> None:
    """The menu's next and previous conversation stay within the list."""
    for step, title in ((1, "First"), (1, "First"), (-1, "Second"), (-1, "Second")):
        two_chats.sidebar.step(step)
        assert two_chats.chat.title == title


@pytest.mark.parametrize("key", [Qt.Key.Key_F2, Qt.Key.Key_Return])
def test_titles_are_renamed_in_place(two_chats: Workbench, qtbot: QtBot, key: Qt.Key) -> None:
    """F2 or Return opens an editor in the row; Return saves the new title."""
    view = view_of(two_chats)
    qtbot.keyClick(view, key)
    editor = view.findChild(QLineEdit)
    editor.setText("Renamed")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: two_chats.chat.title == "Renamed")
    assert two_chats.main_window.windowTitle() == "Renamed"


def test_a_blank_title_is_ignored(two_chats: Workbench, qtbot: QtBot) -> None:
    view = view_of(two_chats)
    qtbot.keyClick(view, Qt.Key.Key_F2)
    editor = view.findChild(QLineEdit)
    editor.setText("   ")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: view.findChild(QLineEdit) is None)
    assert two_chats.chat.title == "Second"


def test_a_deleted_conversation_can_be_restored(two_chats: Workbench, qtbot: QtBot) -> None:
    """Delete removes the row at once and offers Undo."""
    qtbot.keyClick(view_of(two_chats), Qt.Key.Key_Delete)
    assert [two_chats.conversations.index(row).data() for row in range(two_chats.conversations.rowCount())] == ["First"]
    offer = next(button for button in two_chats.findChildren(QAbstractButton) if button.text() == "Undo")
    offer.click()
    assert two_chats.conversations.rowCount() == 2


def test_rows_that_start_a_section_are_taller(two_chats: Workbench) -> None:
    """Only the first row of a section has its name above it."""
    view = view_of(two_chats)
    assert view.sizeHintForRow(0) > view.sizeHintForRow(1)
