"""What is built only when it is first wanted: the pages, what they show, and the ways from one to another."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.domain.store import Store
from app.views.shell.parts import WindowParts
from app.views.shell.workbench import Workbench
from mlx_engine.models.memory.machine import Machine

if TYPE_CHECKING:
    from app.assembly.hub import HubAssembly
    from app.assembly.jobs import JobsAssembly
    from app.assembly.lab import LabAssembly
    from app.assembly.models import ModelsAssembly
    from app.assembly.quantize import QuantizeAssembly
    from app.viewmodels.chat.past_chats import PastChats
    from mlx_engine.models.description.description import ModelDescription


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(WindowParts):
    """What is there from the start."""

    machine: Machine
    store: Store


class LaterAssembly(QObject):
    """Makes the pages of `workbench` by their names. Each of the others is built when it is first called."""

    def __init__(self, parts: Parts, workbench: Workbench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._parts, self._workbench = parts, workbench
        self._models: ModelsAssembly | None = None
        self._jobs: JobsAssembly | None = None
        self._hub: HubAssembly | None = None
        self._quantizing: QuantizeAssembly | None = None
        self._lab: LabAssembly | None = None
        self._past_chats: PastChats | None = None
        self._pages: Mapping[str, Callable[[], QWidget]] = {
            "models": self._models_page,
            "discover": self._discover_page,
            "lab": self._lab_page,
            "quantize": lambda: self.quantizing().page(),
            "publish": self._publish_page,
            "jobs": self._jobs_page,
        }
        workbench.quantize_requested.connect(self.quantize)
        workbench.quantize_path_requested.connect(lambda is_file: self.quantizing().ask_for_path(is_file=is_file))
        workbench.export_requested.connect(self.export_chats)
        workbench.study_requested.connect(lambda: self.lab().new_study())

    def page(self, name: str) -> QWidget:
        """Return the new page of that name."""
        return self._pages[name]()

    def close(self) -> None:
        """End all child processes but those that answer."""
        for part in (self._models, self._lab, self._quantizing, self._hub, self._jobs):
            if part:
                part.close()

    def jobs(self) -> "JobsAssembly":
        """Return the queue of jobs and what is told of it, which is built when it is first wanted."""
        if self._jobs is None:
            from app.assembly.jobs import JobsAssembly  # noqa: PLC0415 - nobody waits for it at the start

            self._jobs = JobsAssembly(
                self._parts.folders,
                self._parts.library,
                self._parts.offline,
                self._parts.notifier,
                self._parts.theme,
                self._workbench.sidebar.jobs,
                parent=self,
                show=self._workbench.show_page,
                chat_with=self._start_chat_with,
            )
        return self._jobs

    def hub(self) -> "HubAssembly":
        """Return what has to do with the Hub, which is built when it is first wanted."""
        if self._hub is None:
            from app.assembly.hub import HubAssembly  # noqa: PLC0415 - as above

            self._hub = HubAssembly(
                self._parts.folders,
                self._parts.library,
                self._parts.offline,
                self.jobs().jobs,
                self._parts.theme,
                self,
            )
            self._hub.downloads.chat_requested.connect(self._start_chat_with)
            self._hub.publishing.started.connect(lambda: self._workbench.show_page("jobs"))
            self._hub.publishing.problem.connect(self._parts.notifier.error)
        return self._hub

    def quantizing(self) -> "QuantizeAssembly":
        """Return what has to do with quantizing, which is built when it is first wanted."""
        if self._quantizing is None:
            from app.assembly.quantize import QuantizeAssembly  # noqa: PLC0415 - as above

            self._quantizing = QuantizeAssembly(
                self._parts.folders,
                self._parts.library,
                self.jobs().jobs,
                self._parts.notifier,
                self._parts.theme,
                parent=self,
                show=self._workbench.show_page,
            )
        return self._quantizing

    def lab(self) -> "LabAssembly":
        """Return what has to do with the Lab, which is built when it is first wanted."""
        if self._lab is None:
            from app.assembly.lab import LabAssembly  # noqa: PLC0415 - as above

            self._lab = LabAssembly(
                self._parts.folders,
                self._parts.library,
                self.jobs().jobs,
                self._parts.notifier,
                self._parts.theme,
                self._parts.machine,
                parent=self,
                show=self._workbench.show_page,
                shown=lambda: self._workbench.shown,
                chat_with=self._start_chat_with,
                quantize=self._quantize_model,
                own=lambda: self.quantizing().shelf.recipes,
                chats=self.past_chats(),
            )
            lab, entry = self._lab.lab, self._workbench.sidebar.study
            lab.changed.connect(lambda: entry.tell(*lab.underway))
            entry.clicked.connect(self._lab.show_foremost)
        return self._lab

    def past_chats(self) -> "PastChats":
        """Return what reads all chats, which is built when it is first wanted."""
        if self._past_chats is None:
            from app.viewmodels.chat.past_chats import PastChats  # noqa: PLC0415 - as above

            self._past_chats = PastChats(self._parts.store, self._parts.folders, self)
            self._past_chats.problem.connect(self._parts.notifier.error)
            self._past_chats.written.connect(
                lambda file: self._parts.notifier.information(f"{Path(file).name} is written.", file)
            )
        return self._past_chats

    def _models_page(self) -> QWidget:
        from app.assembly.models import ModelsAssembly  # noqa: PLC0415 - built when it is first shown

        self._models = ModelsAssembly(
            self._parts.folders,
            self._parts.library,
            self._parts.store,
            self._parts.chat,
            self._parts.preferences,
            notifier=self._parts.notifier,
            theme=self._parts.theme,
            parent=self,
            chat_with=self._start_chat_with,
            discover=self._discover,
        )
        self._models.page.offers.quantize_requested.connect(lambda model: self.quantizing().open(model))
        self._models.page.offers.lab_requested.connect(lambda model, study: self.lab().measure(model, study))
        self._models.page.offers.publish_requested.connect(self._publish)
        return self._models.page

    def _discover_page(self) -> QWidget:
        page = self.hub().page()
        page.chat_requested.connect(self._start_chat_with)
        page.quantize_requested.connect(self._quantize_model)
        page.quantize_repository_requested.connect(lambda repository: self.quantizing().open_repository(repository))
        return page

    def _lab_page(self) -> QWidget:
        page = self.lab().page()
        table, settings = page.view.table, self._parts.preferences.settings
        table.take_columns(
            dict.fromkeys(settings.lab_columns_shown, True) | dict.fromkeys(settings.lab_columns_hidden, False)
        )
        table.columns_chosen.connect(self._keep_columns)
        return page

    def _keep_columns(self, chosen: dict[str, bool]) -> None:
        self._parts.preferences.set("lab_columns_shown", tuple(name for name, is_shown in chosen.items() if is_shown))
        self._parts.preferences.set(
            "lab_columns_hidden", tuple(name for name, is_shown in chosen.items() if not is_shown)
        )

    def _publish_page(self) -> QWidget:
        page = self.hub().publish_page()
        page.left.connect(lambda: self._workbench.show_page("models"))
        page.sign_in_requested.connect(self._sign_in)
        return page

    def _jobs_page(self) -> QWidget:
        page = self.jobs().page()
        page.sign_in_requested.connect(self._sign_in)
        return page

    def quantize(self) -> None:
        """Turn to the model that is marked on its page, or else to the one of the chat."""
        from app.viewmodels.library.table import whole  # noqa: PLC0415 - as above

        marked = self._models.page.table.current_row() if self._models and self._workbench.shown == "models" else None
        if marked and (model := whole(marked)):
            self.quantizing().open(model)
        else:
            self._quantize_model(self._parts.chat.model)

    def _quantize_model(self, model_id: str) -> None:
        if model := self._parts.library.description(model_id):
            self.quantizing().open(model)
        else:
            self._workbench.show_page("quantize")

    def _publish(self, model: "ModelDescription") -> None:
        self.hub().publishing.open(model)
        self._workbench.show_page("publish")

    def _discover(self, repository: str) -> None:
        self._workbench.show_page("discover")
        if repository:
            self.hub().discover.open(repository)

    def _sign_in(self) -> None:
        from app.views.discover.page import DiscoverPage  # noqa: PLC0415 - as above

        page = self._workbench.show_page("discover")
        if isinstance(page, DiscoverPage):
            page.sign_in()

    def _start_chat_with(self, model: str) -> None:
        self._workbench.new_chat()
        self._parts.chat.set_model(model)

    def export_chats(self, is_all: bool) -> None:
        from app.views.chat.export import export  # noqa: PLC0415 - as above

        chat = None if is_all else self._parts.chat.conversation
        export(self._workbench, self.past_chats(), chat.title if chat else "Chats", chat.id if chat else "")
