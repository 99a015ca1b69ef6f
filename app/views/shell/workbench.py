"""Contents of the window: toolbar, sidebar, pages and parameters panel."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import get_args

from PySide6.QtCore import QByteArray, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication, QMessageBox, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.views.chat.model_picker import ModelPicker
from app.views.chat.page import ChatPage
from app.views.kit.notification import NotificationBanner
from app.views.kit.theme import LARGEST_TEXT, SMALLEST_TEXT, Appearance
from app.views.shell.main_window import MainWindow
from app.views.shell.pages import BY_NAME, CHAT, PAGES
from app.views.shell.parts import WindowParts
from app.views.shell.sidebar import Sidebar
from app.views.shell.window_actions import WindowActions
from app.views.shell.window_header import WindowHeader

_SIDEBAR_WIDTH, _PANEL_WIDTH = 240, 290
_TEXT_STEP = 10
"""Percent by which the text grows and shrinks."""


class Workbench(QWidget):
    """Fills `window` with the chat page; `new_page` builds every other page when it is first shown."""

    quantize_requested = Signal()
    quantize_path_requested = Signal(bool)  # True for a file, False for a folder
    study_requested = Signal()
    export_requested = Signal(bool)  # True for all chats

    def __init__(self, window: MainWindow, parts: WindowParts, *, new_page: Callable[[str], QWidget]) -> None:
        super().__init__()
        self.main_window = window
        self.chat, self.conversations, self.library = parts.chat, parts.conversations, parts.library
        self.preferences, self.notifier, self.theme = parts.preferences, parts.notifier, parts.theme
        self.offline, self._folders = parts.offline, parts.folders
        self._settings_dialog: QWidget | None = None
        self._parameters: QWidget | None = None
        self._has_parameters = False
        self._new_page, self._pages = new_page, dict[str, QWidget]()
        self.sidebar = Sidebar(self.conversations, self.chat, self.theme)
        self.page = self._pages[CHAT] = ChatPage(self.chat, self.library, self.preferences, self.theme)
        self.picker = ModelPicker(self.library, self.chat, self.theme)
        self._header = WindowHeader(self.picker, self.theme)
        self._lay_out()
        self.actions_by_name = actions = WindowActions(window.menuBar(), self._handlers(), parts, self).actions
        self._header.set_actions(actions["toggle_sidebar"], actions["new_chat"], actions["toggle_parameters"])
        self._connect()
        self._restore()
        self.show_page(CHAT)
        window.setCentralWidget(self)
        self.page.composer.setFocus()

    def _lay_out(self) -> None:
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self.sidebar)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.page)
        self._splitter.addWidget(self._stack)
        self._splitter.setStretchFactor(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._header)
        column.addWidget(NotificationBanner(self.notifier, self.theme))
        column.addWidget(self._splitter, 1)

    def _handlers(self) -> Mapping[str, Callable[[], object]]:
        """Return a function for each action of the menus."""
        window, chat = self.main_window, self.chat
        return {
            "new_chat": self.new_chat,
            "rename_chat": self.rename_chat,
            "delete_chat": self.sidebar.delete_current,
            "export_chat": lambda: self.export_requested.emit(False),
            "export_chats": lambda: self.export_requested.emit(True),
            "offline": lambda: self.offline.turn(on=not self.offline.is_on),
            "settings": self.show_settings,
            "close_window": window.close,
            "quit": QApplication.closeAllWindows,
            "copy_answer": self.page.copy_last_answer,
            **{f"page_{page.name}": partial(self.show_page, page.name) for page in (*PAGES, BY_NAME["jobs"])},
            "toggle_sidebar": self.toggle_sidebar,
            "toggle_parameters": self.toggle_parameters,
            "text_bigger": lambda: self.set_text_size(self.preferences.settings.text_size + _TEXT_STEP),
            "text_smaller": lambda: self.set_text_size(self.preferences.settings.text_size - _TEXT_STEP),
            "text_normal": lambda: self.set_text_size(100),
            **{
                f"appearance_{name}": partial(self.preferences.set, "appearance", name) for name in get_args(Appearance)
            },
            "write": self.write,
            "stop": chat.stop,
            "regenerate": lambda: chat.regenerate(chat.last_message_id("assistant")),
            "edit_last": self._edit_last_message,
            "next_chat": lambda: self.sidebar.step(1),
            "previous_chat": lambda: self.sidebar.step(-1),
            "choose_model": self.choose_model,
            "load_model": lambda: chat.loading.load(chat.model),
            "unload_model": lambda: self.library.unload(chat.model),
            "open_models_folder": lambda: _open_folder(self._folders.models),
            "quantize": self.quantize_requested.emit,
            "quantize_folder": lambda: self.quantize_path_requested.emit(False),
            "quantize_file": lambda: self.quantize_path_requested.emit(True),
            "new_study": self.study_requested.emit,
            "minimize": window.showMinimized,
            "zoom": lambda: window.showNormal() if window.isMaximized() else window.showMaximized(),
            "about": self.show_about,
            "open_logs": lambda: _open_folder(self._folders.logs),
        }

    def _connect(self) -> None:
        self.picker.folder_requested.connect(self.actions_by_name["open_models_folder"].trigger)
        for source in (self.chat, self.conversations, self.library, self.preferences):
            source.problem.connect(self.notifier.error)
        self.chat.gate.memory_tight.connect(self.notifier.information)
        self.chat.gate.question_changed.connect(self._show_question)
        self.conversations.deleted.connect(self._offer_undo)
        self.sidebar.pages.page_selected.connect(self.show_page)
        self.sidebar.jobs.clicked.connect(lambda: self.show_page("jobs"))
        self.sidebar.study.clicked.connect(lambda: self.show_page("lab"))
        self.sidebar.export_requested.connect(lambda: self.export_requested.emit(False))
        self.sidebar.conversation_chosen.connect(lambda: self.show_page(CHAT))
        self.chat.opened.connect(lambda: self.show_page(CHAT))
        self.chat.title_changed.connect(self._refresh_title)
        self.main_window.activated.connect(self.conversations.refresh_times)
        self.main_window.closing.connect(self._save)

    def show_page(self, name: str) -> QWidget:
        """Show the page of that name, a key of `BY_NAME`, and return it."""
        if name not in self._pages:
            self._pages[name] = self._new_page(name)
            self._stack.addWidget(self._pages[name])
        self._current = name
        self._stack.setCurrentWidget(self._pages[name])
        self.sidebar.pages.select(name if BY_NAME[name] in PAGES else BY_NAME[name].parent)
        for page in PAGES:
            self.actions_by_name[f"page_{page.name}"].setChecked(page.name == name)
        self.actions_by_name["toggle_parameters"].setEnabled(name == CHAT)
        self._refresh_parameters()
        self._refresh_title()
        return self._pages[name]

    @property
    def current_page(self) -> str:
        """The name of the visible page."""
        return self._current

    def new_chat(self) -> None:
        self.chat.new()
        self.write()

    def write(self) -> None:
        """Show the composer and give it the focus."""
        self.show_page(CHAT)
        self.page.composer.setFocus()

    def choose_model(self) -> None:
        self.show_page(CHAT)
        self.picker.open_list()

    def rename_chat(self) -> None:
        self._show_sidebar(visible=True)
        self.sidebar.rename_current()

    def toggle_sidebar(self) -> None:
        self._show_sidebar(visible=self.sidebar.isHidden())

    def toggle_parameters(self) -> None:
        """Show or hide the panel, which is built on first use."""
        if self._parameters is None:
            from app.views.chat.parameters_panel import ParametersPanel  # noqa: PLC0415 - loads on first use

            self._parameters = ParametersPanel(self.chat, self.theme)
            self._parameters.hide()
            self._splitter.addWidget(self._parameters)
            self._parameters.resize(_PANEL_WIDTH, self.height())
        self._has_parameters = not self._has_parameters
        self._refresh_parameters()

    def set_text_size(self, percent: int) -> None:
        self.preferences.set("text_size", min(max(percent, SMALLEST_TEXT), LARGEST_TEXT))

    def show_settings(self) -> None:
        if self._settings_dialog is None:
            from app.views.shell.settings_dialog import SettingsDialog  # noqa: PLC0415 - loads on first use

            self._settings_dialog = SettingsDialog(self.preferences, self.notifier, self.theme, self)
        self._settings_dialog.show()
        self._settings_dialog.raise_()
        self._settings_dialog.activateWindow()

    def show_about(self) -> None:
        QMessageBox.about(self, "About Facet", "Facet\n\nChat with AI models on your Mac. Nothing leaves it.")

    def _edit_last_message(self) -> None:
        self.write()
        self.page.edit_last_message()

    def _show_sidebar(self, *, visible: bool) -> None:
        self.sidebar.setVisible(visible)
        self.actions_by_name["toggle_sidebar"].setChecked(visible)
        self.preferences.set("sidebar_visible", visible)

    def _offer_undo(self, conversation: str, title: str) -> None:
        self.notifier.information(
            f"“{title}” was deleted.", action_title="Undo", action=lambda: self.conversations.restore(conversation)
        )

    def _show_question(self) -> None:
        """Show the page of the chat, where the question is asked."""
        if self.chat.gate.question:
            self.show_page(CHAT)

    def _refresh_parameters(self) -> None:
        """Show the panel only on the page of the chat."""
        if self._parameters:
            self._parameters.setVisible(self._has_parameters and self._current == CHAT)
        self.actions_by_name["toggle_parameters"].setChecked(self._has_parameters)

    def _refresh_title(self) -> None:
        page = "" if self._current == CHAT else BY_NAME[self._current].text
        self._header.show_title(page)
        self.main_window.setWindowTitle(page or self.chat.title or "Facet")

    def _restore(self) -> None:
        state = self.main_window.state.value("splitter")
        if not isinstance(state, QByteArray) or not self._splitter.restoreState(state):
            self._splitter.setSizes([_SIDEBAR_WIDTH, self.main_window.width() - _SIDEBAR_WIDTH])
        self._show_sidebar(visible=self.preferences.settings.sidebar_visible)

    def _save(self) -> None:
        self.main_window.state.setValue("splitter", self._splitter.saveState())


def _open_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
