"""The menu bar as data: the text and shortcut of every action. Its handlers come from the window."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenuBar, QWidget

from app.views.shell.pages import PAGES

_Standard = QKeySequence.StandardKey
_Role = QAction.MenuRole


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """An action of a menu. Ctrl is ⌘ on macOS. At most one entry of a `group` is checked."""

    name: str
    text: str
    shortcut: str | QKeySequence.StandardKey = ""
    role: QAction.MenuRole = _Role.NoRole
    checkable: bool = False
    group: str = ""


SEPARATOR = MenuEntry("", "")

MENUS: Mapping[str, Sequence[MenuEntry]] = {
    "&File": (
        MenuEntry("new_chat", "New Chat", _Standard.New),
        SEPARATOR,
        MenuEntry("rename_chat", "Rename Chat", "F2"),
        MenuEntry("delete_chat", "Delete Chat", "Ctrl+Backspace"),
        SEPARATOR,
        MenuEntry("export_chat", "Export Chat…", "Ctrl+Shift+X"),
        MenuEntry("export_chats", "Export All Chats…"),
        SEPARATOR,
        MenuEntry("offline", "Stay Offline", checkable=True),
        SEPARATOR,
        MenuEntry("settings", "Settings…", "Ctrl+,", _Role.PreferencesRole),
        MenuEntry("close_window", "Close Window", _Standard.Close),
        MenuEntry("quit", "Quit Facet", "Ctrl+Q", _Role.QuitRole),
    ),
    "&Edit": (
        MenuEntry("undo", "Undo", _Standard.Undo),
        MenuEntry("redo", "Redo", _Standard.Redo),
        SEPARATOR,
        MenuEntry("cut", "Cut", _Standard.Cut),
        MenuEntry("copy", "Copy", _Standard.Copy),
        MenuEntry("paste", "Paste", _Standard.Paste),
        MenuEntry("select_all", "Select All", _Standard.SelectAll),
        SEPARATOR,
        MenuEntry("copy_answer", "Copy Last Answer", "Ctrl+Shift+C"),
    ),
    "&View": (
        *(
            MenuEntry(f"page_{page.name}", page.text, f"Ctrl+{number}", checkable=True, group="page")
            for number, page in enumerate(PAGES, 1)
        ),
        SEPARATOR,
        MenuEntry("toggle_sidebar", "Sidebar", "Ctrl+Shift+S", checkable=True),
        MenuEntry("toggle_parameters", "Chat Parameters", "Ctrl+Shift+P", checkable=True),
        SEPARATOR,
        MenuEntry("text_bigger", "Make Text Bigger", "Ctrl++"),
        MenuEntry("text_smaller", "Make Text Smaller", "Ctrl+-"),
        MenuEntry("text_normal", "Actual Size", "Ctrl+0"),
        SEPARATOR,
        MenuEntry("appearance_system", "Use System Appearance", checkable=True, group="appearance"),
        MenuEntry("appearance_light", "Light", checkable=True, group="appearance"),
        MenuEntry("appearance_dark", "Dark", checkable=True, group="appearance"),
    ),
    "&Chat": (
        MenuEntry("write", "Write Message", "Ctrl+L"),
        MenuEntry("stop", "Stop", "Ctrl+."),
        MenuEntry("regenerate", "Regenerate Answer", "Ctrl+R"),
        MenuEntry("edit_last", "Edit Last Message", "Ctrl+Shift+E"),
        SEPARATOR,
        MenuEntry("next_chat", "Next Chat", "Ctrl+Alt+Down"),
        MenuEntry("previous_chat", "Previous Chat", "Ctrl+Alt+Up"),
        SEPARATOR,
        MenuEntry("choose_model", "Choose Model…", "Ctrl+Shift+M"),
        MenuEntry("load_model", "Load Model"),
        MenuEntry("unload_model", "Unload Model"),
        MenuEntry("open_models_folder", "Open Models Folder"),
    ),
    "&Models": (
        MenuEntry("quantize", "Quantize…", "Ctrl+T"),
        MenuEntry("quantize_folder", "Quantize Folder…"),
        MenuEntry("quantize_file", "Quantize GGUF File…"),
        SEPARATOR,
        MenuEntry("new_study", "New Study…", "Ctrl+Shift+N"),
        SEPARATOR,
        MenuEntry("page_jobs", "Jobs", "Ctrl+J"),
    ),
    "&Window": (
        MenuEntry("minimize", "Minimize", "Ctrl+M"),
        MenuEntry("zoom", "Zoom"),
    ),
    "&Help": (
        MenuEntry("about", "About Facet", role=_Role.AboutRole),
        MenuEntry("open_logs", "Show Log Files"),
    ),
}


def fill(bar: QMenuBar, parent: QWidget, handlers: Mapping[str, Callable[[], object]]) -> dict[str, QAction]:
    """Create the menus of `MENUS` and return their actions by name.

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


def _action(entry: MenuEntry, parent: QWidget, handler: Callable[[], object]) -> QAction:
    action = QAction(entry.text, parent)
    action.setMenuRole(entry.role)
    action.setCheckable(entry.checkable)
    if entry.shortcut:
        action.setShortcut(QKeySequence(entry.shortcut))
    action.triggered.connect(lambda _checked=False: handler())
    return action
