"""The one place where the window and all it needs are built, and the way a run of it begins and ends."""

import logging
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from app.domain.store import Store
from app.environment import SingleInstance, catch_errors, missing_display, start_log
from app.viewmodels.chat import ChatViewModel
from app.viewmodels.conversation_list import ConversationListModel
from app.viewmodels.engine_bridge import EngineBridge
from app.viewmodels.model_library import ModelLibrary
from app.viewmodels.preferences import Preferences
from app.views.main_window import MainWindow
from app.views.notification import Notifier
from app.views.theme import Theme
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders

if TYPE_CHECKING:
    from app.starter_preparation import StarterPreparation

_log = logging.getLogger("facet")


class Application(QObject):
    """Everything there is, built once. `command` starts a worker; the default is Facet's own."""

    def __init__(self, qt: QApplication, folders: Folders, *, command: Sequence[str] | None = None) -> None:
        """Build all parts.

        Raises:
            StorageError: the conversations or the settings cannot be read.
        """
        super().__init__()
        self._folders = folders
        self.preferences = Preferences(folders.data / "settings.json", self)
        self.store = Store(folders.data / "facet.sqlite3")
        self.notifier = Notifier(self)
        self.theme = Theme(self)
        self.bridge = EngineBridge(folders.logs, self, command=command)
        self._follow_preferences()
        self.theme.install(qt)
        self.library = ModelLibrary(folders.models, self.bridge, self)
        self.chat = ChatViewModel(self.store, self.bridge, self.library, self.preferences, self)
        self.conversations = ConversationListModel(self.store, self.chat, self)
        self._starter: StarterPreparation | None = None
        self.window = MainWindow(
            chat=self.chat,
            conversations=self.conversations,
            library=self.library,
            preferences=self.preferences,
            notifier=self.notifier,
            theme=self.theme,
            state=QSettings(str(folders.data / "window.ini"), QSettings.Format.IniFormat),
            models=folders.models,
            logs=folders.logs,
        )
        self._connect()

    def show(self) -> None:
        self.window.show()
        QTimer.singleShot(0, self._settle)

    def close(self) -> None:
        """Store what there is of running answers, and end the engine."""
        if self._starter:
            self._starter.close()
        self.chat.close()
        self.bridge.close()
        self.store.close()

    def _connect(self) -> None:
        self.preferences.changed.connect(self._follow_preferences)
        self.library.refreshed.connect(self._prepare_starter)

    def _follow_preferences(self) -> None:
        settings = self.preferences.settings
        self.theme.set_appearance(settings.appearance)
        self.theme.set_text_size(settings.text_size)
        self.bridge.unload_after(settings.idle_unload_minutes * 60)

    def _settle(self) -> None:
        """Do what can wait until the window is shown."""
        self.library.refresh()
        for notice in (self.store.notice, self.preferences.notice):
            if notice:
                self.notifier.error("A file was damaged", notice)

    def _prepare_starter(self) -> None:
        """Bring the starter model into a library that is empty; once a run."""
        self.library.refreshed.disconnect(self._prepare_starter)
        if self.library.rowCount():
            return
        from app.starter_preparation import StarterPreparation  # noqa: PLC0415 - needed once in the life of a Mac

        self._starter = StarterPreparation(self._folders, self)
        self._starter.ended.connect(self._end_preparation)
        if self._starter.start():
            self.window.page.show_preparation("Preparing the starter model…")

    def _end_preparation(self, problem: str) -> None:
        self.window.page.show_preparation("")
        if problem:
            self.notifier.error("The starter model could not be prepared", problem)
        self.library.refresh()


def main(argv: Sequence[str]) -> int:
    """Open the window, or bring the one to the front that is open; return the exit code."""
    if sentence := missing_display():
        return _refuse(sentence)
    folders = Folders.from_environment()
    try:
        start_log(folders.logs)
        instance = SingleInstance(folders.data)
    except OSError as error:
        return _refuse(f"Facet cannot write to {error.filename}: {error.strerror}.")
    qt = QApplication(list(argv))
    qt.setApplicationName("Facet")
    if not instance.is_first:
        instance.raise_first()
        print("Facet is open already; its window is in front now.")  # noqa: T201 - said to whoever started it
        return 0
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    application = _build(qt, folders)
    if application is None:
        return 1
    catch_errors(application.notifier.error)
    instance.raised.connect(application.window.bring_to_front)
    QTimer.singleShot(0, instance.listen)
    application.show()
    code = qt.exec()
    application.close()
    instance.release()
    return code


def _build(qt: QApplication, folders: Folders) -> Application | None:
    """Return the application, or None if it cannot be built and the person gives up."""
    while True:
        try:
            return Application(qt, folders)
        except FacetError as error:
            _log.error("cannot start: %s", error.message)
            if not _ask_to_try_again(error):
                return None


def _ask_to_try_again(error: FacetError) -> bool:
    box = QMessageBox(QMessageBox.Icon.Critical, "Facet", error.title)
    box.setInformativeText(error.message)
    box.setStandardButtons(QMessageBox.StandardButton.Retry | QMessageBox.StandardButton.Close)
    return box.exec() == QMessageBox.StandardButton.Retry


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - there is no window to say it
    return 1
