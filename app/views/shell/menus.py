"""The menu bar as data: every action with its words and its shortcut. What an action does, the window says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenuBar, QWidget

from app.views.shell.pages import PAGES

_Standard = QKeySequence.StandardKey
_Role = QAction.MenuRole


@dataclass(frozen=True, slots=True)
class Entry:
    """One action. Ctrl is ⌘ on macOS. Entries of one `group` exclude each other."""

    name: str
    text: str
    shortcut: str | QKeySequence.StandardKey = ""
    role: QAction.MenuRole = _Role.NoRole
    checkable: bool = False
    group: str = ""


SEPARATOR = Entry("", "")

MENUS: Mapping[str, Sequence[Entry]] = {
    "&File": (
        Entry("new_chat", "New Chat", _Standard.New),
        SEPARATOR,
        Entry("rename_chat", "Rename Chat", "F2"),
        Entry("delete_chat", "Delete Chat", "Ctrl+Backspace"),
        SEPARATOR,
        Entry("export_chat", "Export Chat…", "Ctrl+Shift+X"),
        Entry("export_chats", "Export All Chats…"),
        SEPARATOR,
        Entry("offline", "Stay Offline", checkable=True),
        SEPARATOR,
        Entry("settings", "Settings…", "Ctrl+,", _Role.PreferencesRole),
        Entry("close_window", "Close Window", _Standard.Close),
        Entry("quit", "Quit Facet", "Ctrl+Q", _Role.QuitRole),
    ),
    "&Edit": (
        Entry("undo", "Undo", _Standard.Undo),
        Entry("redo", "Redo", _Standard.Redo),
        SEPARATOR,
        Entry("cut", "Cut", _Standard.Cut),
        Entry("copy", "Copy", _Standard.Copy),
        Entry("paste", "Paste", _Standard.Paste),
        Entry("select_all", "Select All", _Standard.SelectAll),
        SEPARATOR,
        Entry("copy_answer", "Copy Last Answer", "Ctrl+Shift+C"),
    ),
    "&View": (
        *(
            Entry(f"page_{page.name}", page.text, f"Ctrl+{number}", checkable=True, group="page")
            for number, page in enumerate(PAGES, 1)
        ),
        SEPARATOR,
        Entry("toggle_sidebar", "Sidebar", "Ctrl+Shift+S", checkable=True),
        Entry("toggle_parameters", "Chat Parameters", "Ctrl+Shift+P", checkable=True),
        SEPARATOR,
        Entry("text_bigger", "Bigger Text", "Ctrl++"),
        Entry("text_smaller", "Smaller Text", "Ctrl+-"),
        Entry("text_normal", "Actual Size", "Ctrl+0"),
        SEPARATOR,
        Entry("appearance_system", "Appearance of the System", checkable=True, group="appearance"),
        Entry("appearance_light", "Light", checkable=True, group="appearance"),
        Entry("appearance_dark", "Dark", checkable=True, group="appearance"),
    ),
    "&Chat": (
        Entry("write", "Write a Message", "Ctrl+L"),
        Entry("stop", "Stop", "Ctrl+."),
        Entry("regenerate", "Regenerate Answer", "Ctrl+R"),
        Entry("edit_last", "Edit Last Message", "Ctrl+Shift+E"),
        SEPARATOR,
        Entry("next_chat", "Next Chat", "Ctrl+Alt+Down"),
        Entry("previous_chat", "Previous Chat", "Ctrl+Alt+Up"),
        SEPARATOR,
        Entry("choose_model", "Choose Model…", "Ctrl+Shift+M"),
        Entry("load_model", "Load Model"),
        Entry("unload_model", "Unload Model"),
        Entry("open_models_folder", "Open Models Folder"),
    ),
    "&Models": (
        Entry("quantize", "Quantize…", "Ctrl+T"),
        Entry("quantize_folder", "Quantize a Folder…"),
        Entry("quantize_file", "Quantize a GGUF File…"),
        SEPARATOR,
        Entry("new_study", "New Study…", "Ctrl+Shift+N"),
        SEPARATOR,
        Entry("page_jobs", "Jobs", "Ctrl+J"),
    ),
    "&Window": (
        Entry("minimize", "Minimise", "Ctrl+M"),
        Entry("zoom", "Zoom"),
    ),
    "&Help": (
        Entry("about", "About Facet", role=_Role.AboutRole),
        Entry("open_logs", "Show Log Files"),
    ),
}


def fill(bar: QMenuBar, parent: QWidget, handlers: Mapping[str, Callable[[], object]]) -> dict[str, QAction]:
    """Make the menus of `MENUS` and return their actions by name.

    Raises:
        KeyError: an action has no handler.
    """
    actions: dict[str, QAction] = {}
    groups: dict[str, QActionGroup] = {}
    for title, entries in MENUS.items():
        menu = bar.addMenu(title)
        for entry in entries:
            if entry is SEPARATOR:
                menu.addSeparator()
                continue
            action = actions[entry.name] = _action(entry, parent, handlers[entry.name])
            menu.addAction(action)
            if entry.group:
                groups.setdefault(entry.group, QActionGroup(parent)).addAction(action)
    return actions


def _action(entry: Entry, parent: QWidget, handler: Callable[[], object]) -> QAction:
    action = QAction(entry.text, parent)
    action.setMenuRole(entry.role)
    action.setCheckable(entry.checkable)
    if entry.shortcut:
        action.setShortcut(QKeySequence(entry.shortcut))
    action.triggered.connect(lambda _checked=False: handler())
    return action
