"""What each action of the menus does, and when it can be done."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QWidget

from app.viewmodels.formatting.engine import in_words
from app.viewmodels.library.library import ModelRole
from app.views.shell import menus
from app.views.shell.pages import PAGES

if TYPE_CHECKING:
    from app.views.shell.workbench import Workbench

_EDITING = {"undo": "undo", "redo": "redo", "cut": "cut", "copy": "copy", "paste": "paste", "select_all": "selectAll"}
"""Actions that the widget with the focus does itself, and the name of its method."""

_STEP = 10
"""Percent by which the text grows and shrinks."""


class WindowActions(QObject):
    """Fills the menu bar of the window; `actions` are its actions by name."""

    def __init__(self, bench: "Workbench", *, models: Path, logs: Path) -> None:
        super().__init__(bench)
        self._bench, self._chat, self._library = bench, bench.chat, bench.library
        self._preferences = bench.preferences
        self._folders = {"models": models, "logs": logs}
        self.actions = menus.fill(bench.main_window.menuBar(), bench, self._handlers())
        self._connect()
        self._follow()
        self._follow_preferences()
        self._follow_focus(None, None)

    def open_models_folder(self) -> None:
        self._open_folder("models")

    def _handlers(self) -> Mapping[str, Callable[[], object]]:
        bench, window, chat = self._bench, self._bench.main_window, self._chat
        return {
            "new_chat": bench.new_chat,
            "rename_chat": bench.rename_chat,
            "delete_chat": bench.sidebar.delete_current,
            "export_chat": lambda: bench.export_requested.emit(False),
            "export_chats": lambda: bench.export_requested.emit(True),
            "offline": lambda: bench.offline.turn(on=not bench.offline.is_on),
            "settings": bench.show_settings,
            "close_window": window.close,
            "quit": QApplication.closeAllWindows,
            **{name: partial(_on_focus, method) for name, method in _EDITING.items()},
            "copy_answer": self._copy_answer,
            **{f"page_{page.name}": partial(bench.show_page, page.name) for page in PAGES},
            "toggle_sidebar": bench.toggle_sidebar,
            "toggle_parameters": bench.toggle_parameters,
            "text_bigger": lambda: self._grow(_STEP),
            "text_smaller": lambda: self._grow(-_STEP),
            "text_normal": lambda: self._preferences.set("text_size", 100),
            **{
                f"appearance_{name}": partial(self._preferences.set, "appearance", name)
                for name in ("system", "light", "dark")
            },
            "write": bench.write,
            "stop": chat.stop,
            "regenerate": self._regenerate,
            "edit_last": self._edit_last,
            "next_chat": lambda: bench.sidebar.step(1),
            "previous_chat": lambda: bench.sidebar.step(-1),
            "choose_model": bench.choose_model,
            "load_model": lambda: chat.loading.load(chat.model),
            "unload_model": lambda: self._library.unload(chat.model),
            "open_models_folder": self.open_models_folder,
            "quantize": bench.quantize_requested.emit,
            "quantize_folder": lambda: bench.quantize_path_requested.emit(False),
            "quantize_file": lambda: bench.quantize_path_requested.emit(True),
            "new_study": bench.study_requested.emit,
            "page_jobs": partial(bench.show_page, "jobs"),
            "minimize": window.showMinimized,
            "zoom": lambda: window.showNormal() if window.isMaximized() else window.showMaximized(),
            "about": bench.show_about,
            "open_logs": lambda: self._open_folder("logs"),
        }

    def _connect(self) -> None:
        chat, library, conversations = self._chat, self._library, self._bench.conversations
        for changed in (conversations.rowsInserted, conversations.rowsRemoved):
            changed.connect(self._follow)
        for changed in (chat.opened, chat.busy_changed, chat.model_changed, chat.item_added, chat.title_changed):
            changed.connect(self._follow)
        for changed in (library.dataChanged, library.refreshed):
            changed.connect(self._follow)
        self._preferences.changed.connect(self._follow_preferences)
        self._bench.offline.changed.connect(self._follow_preferences)
        cast("QApplication", QApplication.instance()).focusChanged.connect(self._follow_focus)

    def _follow(self) -> None:
        bench, chat = self._bench, self._chat
        at_rest = bool(chat.items) and not chat.busy
        row = self._library.row_of(chat.model)
        state = in_words(self._library.index(row, 0).data(ModelRole.STATE)) if row >= 0 else None
        for name, possible in {
            "rename_chat": chat.conversation is not None,
            "delete_chat": chat.conversation is not None,
            "export_chat": chat.conversation is not None,
            "export_chats": bench.conversations.rowCount() > 0,
            "copy_answer": self._last("assistant") != "",
            "stop": chat.busy,
            "regenerate": at_rest and self._last("assistant") != "",
            "edit_last": at_rest and self._last("user") != "",
            "load_model": state is not None and not state.is_loaded,
            "unload_model": state is not None and state.is_loaded,
        }.items():
            self.actions[name].setEnabled(possible)

    def _follow_preferences(self) -> None:
        settings = self._preferences.settings
        self.actions["text_normal"].setEnabled(settings.text_size != 100)
        self.actions[f"appearance_{settings.appearance}"].setChecked(True)
        self.actions["offline"].setChecked(self._bench.offline.is_on)
        self.actions["offline"].setEnabled(not self._bench.offline.is_forced)

    def _follow_focus(self, _before: QWidget | None, now: QWidget | None) -> None:
        for name, method in _EDITING.items():
            self.actions[name].setEnabled(hasattr(now, method))

    def _last(self, role: str) -> str:
        """Return the id of the last message of that role, or nothing."""
        return next((item.message.id for item in reversed(self._chat.items) if item.message.role == role), "")

    def _copy_answer(self) -> None:
        self._bench.page.transcript.copy_message(self._last("assistant"))

    def _regenerate(self) -> None:
        self._chat.regenerate(self._last("assistant"))

    def _edit_last(self) -> None:
        self._bench.write()
        self._bench.page.transcript.edit_message(self._last("user"))

    def _grow(self, percent: int) -> None:
        self._bench.set_text_size(self._preferences.settings.text_size + percent)

    def _open_folder(self, name: str) -> None:
        folder = self._folders[name]
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))


def _on_focus(method: str) -> None:
    act = getattr(QApplication.focusWidget(), method, None)
    if act:
        act()
