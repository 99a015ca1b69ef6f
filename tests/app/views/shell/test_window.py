"""The whole window: its contents and its menus."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface, QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.assembly.window import Assembly
from app.views.kit.notification import NotificationBanner
from app.views.shell.menus import MENUS
from app.views.shell.workbench import Workbench
from app.views.transcript.thinking import Thinking
from mlx_engine.folders import Folders
from tests.scripted_worker import Script

TIMEOUT_MS = 20_000


def action(workbench: Workbench, name: str) -> QAction:
    return workbench.actions_by_name[name]


def answered(workbench: Workbench, qtbot: QtBot, text: str) -> None:
    workbench.page.composer.set_text(text)
    qtbot.keyClick(workbench.page.composer.editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(workbench.chat.items) and not workbench.chat.busy, timeout=TIMEOUT_MS)


def interfaces(widget: QWidget) -> Iterator[QAccessibleInterface]:
    queue = [QAccessible.queryAccessibleInterface(widget)]
    while queue:
        interface = queue.pop()
        yield interface
        queue.extend(filter(None, (interface.child(number) for number in range(interface.childCount()))))


def unnamed_controls(widget: QWidget) -> list[str]:
    """Return the class names of visible controls that have no name for screen readers."""
    roles = (
        QAccessible.Role.Button,
        QAccessible.Role.CheckBox,
        QAccessible.Role.ComboBox,
        QAccessible.Role.EditableText,
        QAccessible.Role.SpinBox,
        QAccessible.Role.List,
    )
    # The arrows of a scroll bar and the line of a spin box are parts of a control with a name.
    parts = ("QScrollBar", "qt_spinbox_lineedit", "ScrollLeftButton", "ScrollRightButton")
    return [
        f"{interface.object().metaObject().className()} {interface.object().objectName()}"
        for interface in interfaces(widget)
        if interface.role() in roles
        and interface.object() is not None
        and not interface.state().invisible
        and interface.object().objectName() not in parts
        and not interface.text(QAccessible.Text.Name)
    ]


@pytest.mark.process
def test_a_message_is_answered_in_the_transcript(workbench: Workbench, qtbot: QtBot) -> None:
    """Return sends the message; the answer and its conversation appear, and the composer is cleared."""
    answered(workbench, qtbot, "Do whales sing?")
    assert [item.message.text for item in workbench.chat.items] == ["Do whales sing?", "Whales sing."]
    assert workbench.page.transcript.isVisible()
    assert workbench.page.composer.editor.toPlainText() == ""
    assert workbench.main_window.windowTitle() == "Do whales sing?"


@pytest.mark.process
@pytest.mark.parametrize("is_expanded", [True, False])
def test_thinking_is_expanded_while_it_streams_if_the_setting_is_on(
    assemble: Callable[[Script], Assembly], qtbot: QtBot, is_expanded: bool
) -> None:
    """The setting applies to the next answer."""
    assembly = assemble(Script(thinking="Whales are large. " * 400, rate=50))
    assembly.preferences.set("show_thinking", is_expanded)
    assembly.chat.send("Hello")
    transcript = assembly.workbench.page.transcript
    qtbot.waitUntil(lambda: transcript.findChild(Thinking) is not None, timeout=TIMEOUT_MS)
    assert transcript.findChild(Thinking).is_open == is_expanded


@pytest.mark.process
def test_a_dead_engine_is_reported_with_its_log(assemble: Callable[[Script], Assembly], qtbot: QtBot) -> None:
    """The banner reports the error and has the end of the log; the chat keeps its messages."""
    workbench = assemble(Script(die_at="decode", stderr="metal: out of memory")).workbench
    banner = workbench.findChild(NotificationBanner)
    workbench.chat.send("Hello")
    qtbot.waitUntil(banner.isVisible, timeout=TIMEOUT_MS)
    qtbot.waitUntil(lambda: "out of memory" in banner.findChild(QPlainTextEdit).toPlainText(), timeout=TIMEOUT_MS)
    assert "killed" in banner.notification.message
    assert workbench.chat.items[0].message.text == "Hello"


def test_sending_without_a_model_is_refused(workbench: Workbench, folders: Folders, qtbot: QtBot) -> None:
    """The banner suggests a fix, and the composer keeps the text."""
    shutil.rmtree(folders.models)
    with qtbot.waitSignal(workbench.library.refreshed, timeout=TIMEOUT_MS):
        workbench.library.refresh()
    workbench.page.composer.set_text("Hello")
    qtbot.keyClick(workbench.page.composer.editor, Qt.Key.Key_Return)
    assert workbench.findChild(NotificationBanner).notification.title == "No model selected"
    assert workbench.page.composer.editor.toPlainText() == "Hello"


@pytest.mark.process
def test_every_control_has_a_name(assembly: Assembly, qtbot: QtBot) -> None:
    """Every button and field has a name for screen readers, in the window and in everything it opens."""
    workbench = assembly.workbench
    answered(workbench, qtbot, "Hello")
    workbench.toggle_parameters()
    workbench.show_settings()
    workbench.picker.open_list()
    assembly.notifier.error("Title", "Message", "Details")
    tops = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    assert len(tops) >= 3
    assert [name for top in tops for name in unnamed_controls(top)] == []


def test_shortcuts_are_unique(workbench: Workbench) -> None:
    """No two menu entries share a shortcut."""
    shortcuts = [sequence.toString() for entry in workbench.actions_by_name.values() for sequence in entry.shortcuts()]
    assert len(shortcuts) == len(set(shortcuts))


def test_the_menu_bar_has_every_declared_action(workbench: Workbench) -> None:
    """The menus and their actions match `MENUS`."""
    names = {entry.name for entries in MENUS.values() for entry in entries if entry.name}
    assert set(workbench.actions_by_name) == names
    titles = [entry.menu().title() for entry in workbench.main_window.menuBar().actions()]
    assert titles == list(MENUS)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("settings", QAction.MenuRole.PreferencesRole),
        ("quit", QAction.MenuRole.QuitRole),
        ("about", QAction.MenuRole.AboutRole),
    ],
)
def test_the_application_menu_of_macos_gets_its_actions(
    workbench: Workbench, name: str, role: QAction.MenuRole
) -> None:
    assert action(workbench, name).menuRole() == role


@pytest.mark.process
def test_actions_are_enabled_when_possible(workbench: Workbench, qtbot: QtBot) -> None:
    """Actions on the last answer need an answer, and Stop is off once it is complete."""
    names = ("rename_chat", "delete_chat", "copy_answer", "regenerate", "edit_last")
    assert not any(action(workbench, name).isEnabled() for name in names)
    answered(workbench, qtbot, "Hello")
    assert all(action(workbench, name).isEnabled() for name in names)
    assert not action(workbench, "stop").isEnabled()


@pytest.mark.process
def test_an_answer_can_be_stopped_while_it_streams(assemble: Callable[[Script], Assembly], qtbot: QtBot) -> None:
    """Stop is enabled during an answer and Regenerate is not; the partial answer is kept."""
    workbench = assemble(Script(tokens=4000, rate=50)).workbench
    assert workbench.chat.send("Write a long answer")
    qtbot.waitUntil(lambda: workbench.chat.throughput.phase == "answering", timeout=TIMEOUT_MS)
    assert not action(workbench, "regenerate").isEnabled()
    action(workbench, "stop").trigger()
    qtbot.waitUntil(lambda: not workbench.chat.busy, timeout=TIMEOUT_MS)
    assert workbench.chat.items[-1].message.text


@pytest.mark.process
def test_regenerate_and_copy_act_on_the_last_answer(workbench: Workbench, qtbot: QtBot) -> None:
    """The menu matches the buttons below the message."""
    answered(workbench, qtbot, "Hello")
    action(workbench, "copy_answer").trigger()
    assert QApplication.clipboard().text() == "Whales sing."
    action(workbench, "regenerate").trigger()
    qtbot.waitUntil(lambda: not workbench.chat.busy, timeout=TIMEOUT_MS)
    assert workbench.chat.items[-1].branches == 2


@pytest.mark.process
def test_the_last_message_is_edited_by_the_menu(workbench: Workbench, qtbot: QtBot) -> None:
    """The editor opens in the transcript with the text of the user's last message."""
    answered(workbench, qtbot, "Do whales sing?")
    action(workbench, "edit_last").trigger()
    editors = workbench.page.transcript.findChildren(QPlainTextEdit)
    assert "Do whales sing?" in [editor.toPlainText() for editor in editors if editor.isVisible()]


@pytest.mark.process
def test_a_model_is_loaded_and_unloaded_by_the_menu(workbench: Workbench, qtbot: QtBot) -> None:
    """Exactly one of the two is enabled at any time."""
    load, unload = action(workbench, "load_model"), action(workbench, "unload_model")
    assert (load.isEnabled(), unload.isEnabled()) == (True, False)
    load.trigger()
    assert (load.isEnabled(), unload.isEnabled()) == (False, True)
    unload.trigger()
    qtbot.waitUntil(load.isEnabled, timeout=TIMEOUT_MS)


def test_text_size_is_changed_and_reset_by_the_menu(workbench: Workbench) -> None:
    """The actions change the setting within its bounds."""
    action(workbench, "text_bigger").trigger()
    assert workbench.theme.text_size == 110
    for _ in range(9):
        action(workbench, "text_smaller").trigger()
    assert workbench.theme.text_size == 80
    action(workbench, "text_normal").trigger()
    assert workbench.theme.text_size == 100


def test_appearance_is_chosen_in_the_menu(workbench: Workbench) -> None:
    action(workbench, "appearance_dark").trigger()
    assert workbench.theme.is_dark
    assert workbench.preferences.settings.appearance == "dark"


def test_sidebar_and_parameters_are_shown_and_hidden(workbench: Workbench) -> None:
    """The menu shows which of them are visible, and the sidebar's state is saved."""
    action(workbench, "toggle_sidebar").trigger()
    assert workbench.sidebar.isHidden()
    assert not workbench.preferences.settings.sidebar_visible
    assert not action(workbench, "toggle_sidebar").isChecked()
    action(workbench, "toggle_parameters").trigger()
    assert action(workbench, "toggle_parameters").isChecked()


@pytest.mark.parametrize("percent", [100, 200])
def test_the_window_works_at_900_by_600(workbench: Workbench, percent: int) -> None:
    """Everything fits in a small window, at normal and at double text size."""
    workbench.set_text_size(percent)
    workbench.main_window.resize(900, 600)
    QApplication.sendPostedEvents()
    assert (workbench.main_window.width(), workbench.main_window.height()) == (900, 600)
    assert workbench.page.composer.isVisible()
    bottom = workbench.page.composer.mapTo(workbench.main_window, workbench.page.composer.rect().bottomRight())
    assert workbench.main_window.rect().contains(bottom)
    for text in workbench.page.findChildren(QLabel):
        right = text.mapTo(workbench.main_window, text.rect().topRight())
        assert right.x() < workbench.main_window.width()


def test_tab_reaches_every_button_of_the_header(workbench: Workbench, qtbot: QtBot) -> None:
    """Tab moves from the composer past the picker and back to the composer."""
    composer = workbench.page.composer.editor
    composer.setFocus()
    seen: list[QWidget] = []
    for _ in range(40):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        if QApplication.focusWidget() is composer:
            break
        seen.append(QApplication.focusWidget())
    assert workbench.picker in seen
    assert QApplication.focusWidget() is composer


def test_the_composer_gets_the_focus_by_its_shortcut(workbench: Workbench) -> None:
    """One shortcut moves the focus to the composer from anywhere."""
    assert action(workbench, "write").shortcut() == QKeySequence("Ctrl+L")
    workbench.picker.setFocus()
    action(workbench, "write").trigger()
    assert QApplication.focusWidget() is workbench.page.composer.editor


def test_the_window_restores_its_size(assembly: Assembly, assemble: Callable[[Script], Assembly], qtbot: QtBot) -> None:
    """A reopened window has the size of the closed one."""
    window = assembly.workbench.main_window
    window.resize(701, 502)
    window.close()
    assert assemble(Script()).workbench.main_window.size().toTuple() == (701, 502)
