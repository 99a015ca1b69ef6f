"""The actions of the menu bar: runs their handlers, and enables each of them while it can be done."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QMenuBar, QWidget

from app.viewmodels.formatting.engine import describe_engine
from app.viewmodels.library.library import ModelRole
from app.views.shell import menus
from app.views.shell.parts import WindowParts

_EDITING = {"undo": "undo", "redo": "redo", "cut": "cut", "copy": "copy", "paste": "paste", "select_all": "selectAll"}
"""Actions of the widget that has the focus, and the name of its method."""


class WindowActions(QObject):
    """Fills `menu_bar`; `actions` has its actions by name. `handlers` has all of them but those of editing."""

    def __init__(
        self, menu_bar: QMenuBar, handlers: Mapping[str, Callable[[], object]], parts: WindowParts, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._parts = parts
        editing = {name: partial(_call_on_focus, method) for name, method in _EDITING.items()}
        self.actions = menus.fill(menu_bar, parent, {**handlers, **editing})
        self._connect()
        self._refresh()
        self._refresh_preferences()
        self._refresh_editing(None, None)

    def _connect(self) -> None:
        chat, library, conversations = self._parts.chat, self._parts.library, self._parts.conversations
        for changed in (conversations.rowsInserted, conversations.rowsRemoved):
            changed.connect(self._refresh)
        for changed in (chat.opened, chat.busy_changed, chat.model_changed, chat.item_added, chat.title_changed):
            changed.connect(self._refresh)
        for changed in (library.dataChanged, library.refreshed):
            changed.connect(self._refresh)
        self._parts.preferences.changed.connect(self._refresh_preferences)
        self._parts.offline.changed.connect(self._refresh_preferences)
        cast("QApplication", QApplication.instance()).focusChanged.connect(self._refresh_editing)

    def _refresh(self) -> None:
        chat, library = self._parts.chat, self._parts.library
        idle = bool(chat.items) and not chat.busy
        row = library.row_of(chat.model)
        state = describe_engine(library.index(row, 0).data(ModelRole.STATE)) if row >= 0 else None
        for name, is_possible in {
            "rename_chat": chat.conversation is not None,
            "delete_chat": chat.conversation is not None,
            "export_chat": chat.conversation is not None,
            "export_chats": self._parts.conversations.rowCount() > 0,
            "copy_answer": chat.last_message_id("assistant") != "",
            "stop": chat.busy,
            "regenerate": idle and chat.last_message_id("assistant") != "",
            "edit_last": idle and chat.last_message_id("user") != "",
            "load_model": state is not None and not state.is_loaded,
            "unload_model": state is not None and state.is_loaded,
        }.items():
            self.actions[name].setEnabled(is_possible)

    def _refresh_preferences(self) -> None:
        settings, offline = self._parts.preferences.settings, self._parts.offline
        self.actions["text_normal"].setEnabled(settings.text_size != 100)
        self.actions[f"appearance_{settings.appearance}"].setChecked(True)
        self.actions["offline"].setChecked(offline.is_on)
        self.actions["offline"].setEnabled(not offline.is_forced)

    def _refresh_editing(self, _before: QWidget | None, now: QWidget | None) -> None:
        for name, method in _EDITING.items():
            self.actions[name].setEnabled(hasattr(now, method))


def _call_on_focus(method: str) -> None:
    act = getattr(QApplication.focusWidget(), method, None)
    if act:
        act()
