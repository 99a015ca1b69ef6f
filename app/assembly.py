"""The one place where everything in the window is built, and passed to what needs it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.domain.store import Store
from app.viewmodels.chat import ChatViewModel
from app.viewmodels.conversation_list import ConversationListModel
from app.viewmodels.engine_bridge import EngineBridge
from app.viewmodels.load_gate import LoadGate
from app.viewmodels.model_library import ModelLibrary
from app.viewmodels.offline import OfflineSwitch
from app.viewmodels.preferences import Preferences
from app.views.main_window import MainWindow
from app.views.notification import Notifier
from app.views.theme import Theme
from app.views.workbench import Workbench
from mlx_engine.engine.state import Failed, Ready
from mlx_engine.folders import Folders
from mlx_engine.models.machine import Machine, this_machine
from mlx_engine.models.places import standard_roots

_LATER_MS = 1_500
"""How long after the start the rest begins that nobody waits for."""

if TYPE_CHECKING:
    from app.hub_assembly import HubAssembly
    from app.jobs_assembly import JobsAssembly
    from app.lab_assembly import LabAssembly
    from app.models_assembly import ModelsAssembly
    from app.quantize_assembly import QuantizeAssembly
    from app.starter_preparation import StarterPreparation
    from app.viewmodels.past_chats import PastChats
    from mlx_engine.models.description import ModelDescription


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
        self._models: ModelsAssembly | None = None
        self._jobs: JobsAssembly | None = None
        self._hub: HubAssembly | None = None
        self._quantizing: QuantizeAssembly | None = None
        self._lab: LabAssembly | None = None
        self._past_chats: PastChats | None = None
        self._machine = machine or this_machine()
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
        self.gate = LoadGate(self.bridge, self.library, self._machine, self)
        self.chat = ChatViewModel(self.store, self.bridge, self.library, self.preferences, self.gate, self)
        self.conversations = ConversationListModel(self.store, self.chat, self)
        self.workbench = Workbench(
            window,
            chat=self.chat,
            conversations=self.conversations,
            library=self.library,
            preferences=self.preferences,
            notifier=self.notifier,
            theme=theme,
            pages={
                "models": self._models_page,
                "discover": self._discover_page,
                "lab": self._lab_page,
                "quantize": lambda: self.quantizing().page(),
                "publish": self._publish_page,
                "jobs": self._jobs_page,
            },
            offline=self.offline,
            models=folders.models,
            logs=folders.logs,
        )
        self.gate.smaller_wanted.connect(lambda: self.workbench.show_page("discover"))
        self.workbench.quantize_requested.connect(self._quantize)
        self.workbench.quantize_path_requested.connect(lambda is_file: self.quantizing().ask_for_path(is_file=is_file))
        self.workbench.export_requested.connect(self._export_chats)
        self.workbench.study_requested.connect(lambda: self.lab().new_study())
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
        if self._models:
            self._models.close()
        if self._lab:
            self._lab.close()
        if self._quantizing:
            self._quantizing.close()
        if self._hub:
            self._hub.close()
        if self._jobs:
            self._jobs.close()
        self.offline.restore()
        self.chat.close()
        self.bridge.close()
        self.library.close()
        self.store.close()

    def _added_folders(self) -> list[Path]:
        return [Path(folder) for folder in self.preferences.settings.model_folders]

    def _follow_preferences(self) -> None:
        settings = self.preferences.settings
        self._theme.set_appearance(settings.appearance)
        self._theme.set_text_size(settings.text_size)

    def jobs(self) -> "JobsAssembly":
        """Return the queue of jobs and what is told of it, which is built when it is first wanted."""
        if self._jobs is None:
            from app.jobs_assembly import JobsAssembly  # noqa: PLC0415 - nobody waits for it at the start

            self._jobs = JobsAssembly(
                self._folders,
                self.library,
                self.offline,
                self.notifier,
                self._theme,
                self.workbench.sidebar.jobs,
                parent=self,
                show=self.workbench.show_page,
                chat_with=self._start_chat_with,
            )
        return self._jobs

    def hub(self) -> "HubAssembly":
        """Return what has to do with the Hub, which is built when it is first wanted."""
        if self._hub is None:
            from app.hub_assembly import HubAssembly  # noqa: PLC0415 - as above

            self._hub = HubAssembly(
                self._folders,
                self.library,
                self.offline,
                self.jobs().jobs,
                self._theme,
                self,
            )
            self._hub.downloads.chat_requested.connect(self._start_chat_with)
            self._hub.publishing.started.connect(lambda: self.workbench.show_page("jobs"))
            self._hub.publishing.problem.connect(self.notifier.error)
        return self._hub

    def quantizing(self) -> "QuantizeAssembly":
        """Return what has to do with quantizing, which is built when it is first wanted."""
        if self._quantizing is None:
            from app.quantize_assembly import QuantizeAssembly  # noqa: PLC0415 - as above

            self._quantizing = QuantizeAssembly(
                self._folders,
                self.library,
                self.jobs().jobs,
                self.notifier,
                self._theme,
                parent=self,
                show=self.workbench.show_page,
            )
        return self._quantizing

    def lab(self) -> "LabAssembly":
        """Return what has to do with the Lab, which is built when it is first wanted."""
        if self._lab is None:
            from app.lab_assembly import LabAssembly  # noqa: PLC0415 - as above

            self._lab = LabAssembly(
                self._folders,
                self.library,
                self.jobs().jobs,
                self.notifier,
                self._theme,
                self._machine,
                parent=self,
                show=self.workbench.show_page,
                shown=lambda: self.workbench.shown,
                chat_with=self._start_chat_with,
                quantize=self._quantize_model,
                own=lambda: self.quantizing().shelf.recipes,
                chats=self.past_chats(),
            )
            lab, entry = self._lab.lab, self.workbench.sidebar.study
            lab.changed.connect(lambda: entry.tell(*lab.underway))
            entry.clicked.connect(self._lab.show_foremost)
        return self._lab

    def past_chats(self) -> "PastChats":
        """Return what reads all chats, which is built when it is first wanted."""
        if self._past_chats is None:
            from app.viewmodels.past_chats import PastChats  # noqa: PLC0415 - as above

            self._past_chats = PastChats(self.store, self._folders, self)
            self._past_chats.problem.connect(self.notifier.error)
            self._past_chats.written.connect(
                lambda file: self.notifier.information(f"{Path(file).name} is written.", file)
            )
        return self._past_chats

    def _export_chats(self, is_all: bool) -> None:
        from app.views.chat_export import export  # noqa: PLC0415 - as above

        chat = None if is_all else self.chat.conversation
        export(self.workbench, self.past_chats(), chat.title if chat else "Chats", chat.id if chat else "")

    def _lab_page(self) -> QWidget:
        page = self.lab().page()
        table, settings = page.view.table, self.preferences.settings
        table.take_columns(
            dict.fromkeys(settings.lab_columns_shown, True) | dict.fromkeys(settings.lab_columns_hidden, False)
        )
        table.columns_chosen.connect(self._keep_columns)
        return page

    def _keep_columns(self, chosen: dict[str, bool]) -> None:
        self.preferences.set("lab_columns_shown", tuple(name for name, is_shown in chosen.items() if is_shown))
        self.preferences.set("lab_columns_hidden", tuple(name for name, is_shown in chosen.items() if not is_shown))

    def _discover_page(self) -> QWidget:
        page = self.hub().page()
        page.chat_requested.connect(self._start_chat_with)
        page.quantize_requested.connect(self._quantize_model)
        page.quantize_repository_requested.connect(lambda repository: self.quantizing().open_repository(repository))
        return page

    def _publish_page(self) -> QWidget:
        page = self.hub().publish_page()
        page.left.connect(lambda: self.workbench.show_page("models"))
        page.sign_in_requested.connect(self._sign_in)
        return page

    def _publish(self, model: "ModelDescription") -> None:
        self.hub().publishing.open(model)
        self.workbench.show_page("publish")

    def _jobs_page(self) -> QWidget:
        page = self.jobs().page()
        page.sign_in_requested.connect(self._sign_in)
        return page

    def _sign_in(self) -> None:
        from app.views.discover.page import DiscoverPage  # noqa: PLC0415 - as above

        page = self.workbench.show_page("discover")
        if isinstance(page, DiscoverPage):
            page.sign_in()

    def _quantize(self) -> None:
        """Turn to the model that is marked on its page, or else to the one of the chat."""
        from app.viewmodels.model_table import whole  # noqa: PLC0415 - as above

        marked = self._models.page.table.current_row() if self._models and self.workbench.shown == "models" else None
        if marked and (model := whole(marked)):
            self.quantizing().open(model)
        else:
            self._quantize_model(self.chat.model)

    def _quantize_model(self, model_id: str) -> None:
        if model := self.library.description(model_id):
            self.quantizing().open(model)
        else:
            self.workbench.show_page("quantize")

    def _go_on(self) -> None:
        """Look out for models that come and go, and go on with the jobs that the last run has left."""
        from app.viewmodels.lab_shelf import UNDER_WAY  # noqa: PLC0415 - as above
        from app.viewmodels.library_watch import LibraryWatch  # noqa: PLC0415 - as above
        from mlx_engine.engine.queue_file import FILE_NAME  # noqa: PLC0415 - as above

        LibraryWatch(self.library, self)
        self.workbench.main_window.activated.connect(self.library.refresh)
        if (self._folders.data / FILE_NAME).exists():
            self.jobs()
        if (self._folders.studies / UNDER_WAY).exists():
            self.lab()

    def _models_page(self) -> QWidget:
        from app.models_assembly import ModelsAssembly  # noqa: PLC0415 - built when it is first shown

        self._models = ModelsAssembly(
            self._folders,
            self.library,
            self.store,
            self.chat,
            self.preferences,
            notifier=self.notifier,
            theme=self._theme,
            parent=self,
            chat_with=self._start_chat_with,
            discover=self._discover,
        )
        self._models.page.offers.quantize_requested.connect(lambda model: self.quantizing().open(model))
        self._models.page.offers.lab_requested.connect(lambda model, study: self.lab().measure(model, study))
        self._models.page.offers.publish_requested.connect(self._publish)
        return self._models.page

    def _discover(self, repository: str) -> None:
        self.workbench.show_page("discover")
        if repository:
            self.hub().discover.open(repository)

    def _start_chat_with(self, model: str) -> None:
        self.workbench.new_chat()
        self.chat.set_model(model)

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
