"""The one place where everything in the window is built, and passed to what needs it; `later_assembly.py` is its half
for what can wait.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.assembly.later import LaterAssembly, Parts
from app.domain.store import Store
from app.viewmodels.bridges.engine import EngineBridge
from app.viewmodels.bridges.offline import OfflineSwitch
from app.viewmodels.bridges.preferences import Preferences
from app.viewmodels.chat.chat import ChatViewModel
from app.viewmodels.chat.conversation_list import ConversationListModel
from app.viewmodels.chat.load_gate import LoadGate
from app.viewmodels.library.library import ModelLibrary
from app.views.kit.notification import Notifier
from app.views.kit.theme import Theme
from app.views.shell.main_window import MainWindow
from app.views.shell.workbench import Workbench
from mlx_engine.engine.values.state import Failed, Ready
from mlx_engine.folders import Folders
from mlx_engine.models.library.places import standard_roots
from mlx_engine.models.memory.machine import Machine, this_machine

_LATER_MS = 1_500
"""How long after the start the rest begins that nobody waits for."""

if TYPE_CHECKING:
    from app.starter_preparation import StarterPreparation


class Assembly(QObject):
    """All parts, built once, in `window`. `command` starts a worker; the default is Facet's own. Loads are held against
    `machine`, by default this one.
    """

    def __init__(
        self,
        window: MainWindow,
        theme: Theme,
        folders: Folders,
        *,
        command: Sequence[str] | None = None,
        machine: Machine | None = None,
    ) -> None:
        """Build all parts.

        Raises:
            StorageError: the conversations or the settings cannot be read.
        """
        super().__init__(window)
        self._folders, self._theme = folders, theme
        self._failures: dict[Path, str] = {}
        """The titles of the notices of models that have failed since they last were ready."""
        self._starter: StarterPreparation | None = None
        machine = machine or this_machine()
        self.preferences = Preferences(folders.settings, self)
        self._follow_preferences()
        self.offline = OfflineSwitch(self.preferences, folders.logs, self)
        self.store = Store(folders.data / "facet.sqlite3")
        self.notifier = Notifier(self)
        self.bridge = EngineBridge(folders.logs, self, command=command)
        self.library = ModelLibrary(
            folders.models,
            self.bridge,
            self,
            other_roots=lambda: standard_roots(folders, self._added_folders())[1:],
            cache_file=folders.cache / "library.json",
        )
        self.gate = LoadGate(self.bridge, self.library, machine, self)
        self.chat = ChatViewModel(self.store, self.bridge, self.library, self.preferences, self.gate, self)
        self.conversations = ConversationListModel(self.store, self.chat, self)
        parts = Parts(
            folders=folders,
            theme=theme,
            machine=machine,
            preferences=self.preferences,
            offline=self.offline,
            store=self.store,
            notifier=self.notifier,
            library=self.library,
            chat=self.chat,
            conversations=self.conversations,
        )
        self.workbench = Workbench(window, parts, new_page=self._new_page)
        self.later = LaterAssembly(parts, self.workbench, self)
        self.gate.smaller_wanted.connect(lambda: self.workbench.show_page("discover"))
        self.preferences.changed.connect(self._follow_preferences)
        self.bridge.state_changed.connect(self._tell_failure)
        self.library.refreshed.connect(self._prepare_starter)
        self.library.refresh()
        self._tell_notices()
        QTimer.singleShot(_LATER_MS, self, self._go_on)

    def close(self) -> None:
        """Store what there is of running answers, and end all child processes."""
        if self._starter:
            self._starter.close()
        self.later.close()
        self.offline.restore()
        self.chat.close()
        self.bridge.close()
        self.library.close()
        self.store.close()

    def _new_page(self, name: str) -> QWidget:
        return self.later.page(name)

    def _added_folders(self) -> list[Path]:
        return [Path(folder) for folder in self.preferences.settings.model_folders]

    def _follow_preferences(self) -> None:
        settings = self.preferences.settings
        self._theme.set_appearance(settings.appearance)
        self._theme.set_text_size(settings.text_size)

    def _go_on(self) -> None:
        """Look out for models that come and go, and go on with the jobs that the last run has left."""
        from app.viewmodels.lab.study_store import UNDER_WAY  # noqa: PLC0415 - as above
        from app.viewmodels.library.watch import LibraryWatch  # noqa: PLC0415 - as above
        from mlx_engine.engine.parents.queue_file import FILE_NAME  # noqa: PLC0415 - as above

        LibraryWatch(self.library, self)
        self.workbench.main_window.activated.connect(self.library.refresh)
        if (self._folders.data / FILE_NAME).exists():
            self.later.jobs()
        if (self._folders.studies / UNDER_WAY).exists():
            self.later.lab()

    def _tell_failure(self, model: Path) -> None:
        match self.bridge.state(model):
            case Failed(title, message, log_tail):
                self._failures[model] = title
                self.notifier.error(title, message, log_tail)
            case Ready() if model in self._failures:
                self.notifier.withdraw(self._failures.pop(model))

    def _tell_notices(self) -> None:
        for notice in (self.store.notice, self.preferences.notice):
            if notice:
                self.notifier.error("A file was damaged", notice)

    def _prepare_starter(self) -> None:
        """Bring the starter model into a library with nothing to chat with and nothing of Facet's own; once a run."""
        self.library.refreshed.disconnect(self._prepare_starter)
        if self.library.usable() or any(row.origin == "facet" for row in self.library.rows):
            return
        from app.starter_preparation import StarterPreparation  # noqa: PLC0415 - needed once in the life of a Mac

        self._starter = StarterPreparation(self._folders, self)
        self._starter.ended.connect(self._end_preparation)
        if self._starter.start():
            self.workbench.page.show_preparation("Preparing the starter model…")

    def _end_preparation(self, problem: str) -> None:
        self.workbench.page.show_preparation("")
        if problem:
            self.notifier.error("The starter model could not be prepared", problem)
        self.library.refresh()
