"""Pages of the window, each built with its view-models on first use, and the ways between them."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.assembly.navigation import Navigation
from app.assembly.parts import Parts
from app.views.shell.workbench import Workbench

if TYPE_CHECKING:
    from app.assembly.hub import HubAssembly
    from app.assembly.jobs import JobsAssembly
    from app.assembly.lab import LabAssembly
    from app.assembly.models import ModelsAssembly
    from app.assembly.quantize import QuantizeAssembly
    from app.viewmodels.chat.past_chats import PastChats
    from mlx_engine.models.description.description import ModelDescription


class PageAssembly(QObject):
    """Builds the pages of `workbench` by name. Every part is built when it is first called."""

    def __init__(self, parts: Parts, workbench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._parts, self._workbench = parts, workbench
        self._navigation = Navigation(workbench, parts.chat)
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
            "jobs": lambda: self.jobs().page(),
        }
        workbench.quantize_requested.connect(self._quantize_current)
        workbench.quantize_path_requested.connect(lambda is_file: self.quantizing().ask_for_path(is_file=is_file))
        workbench.export_requested.connect(self._export_chats)
        workbench.study_requested.connect(lambda: self.lab().new_study())

    def page(self, name: str) -> QWidget:
        """Return a new page of that name."""
        return self._pages[name]()

    def close(self) -> None:
        """End the child processes of all pages."""
        for part in (self._models, self._lab, self._quantizing, self._hub, self._jobs):
            if part:
                part.close()

    def jobs(self) -> "JobsAssembly":
        if self._jobs is None:
            from app.assembly.jobs import JobsAssembly  # noqa: PLC0415 - not needed at the start

            self._jobs = JobsAssembly(self._parts, self._navigation, self)
            self._jobs.jobs.changed.connect(self._show_jobs)
            self._show_jobs()
        return self._jobs

    def _show_jobs(self) -> None:
        summary = self.jobs().jobs.summary()
        self._workbench.sidebar.jobs.show_progress(summary.activity, summary.fraction)

    def hub(self) -> "HubAssembly":
        if self._hub is None:
            from app.assembly.hub import HubAssembly  # noqa: PLC0415 - as above

            self._hub = HubAssembly(self._parts, self.jobs().jobs, self)
            self._hub.downloads.chat_requested.connect(self._navigation.chat_with)
            self._hub.publishing.started.connect(lambda: self._navigation.show("jobs"))
        return self._hub

    def quantizing(self) -> "QuantizeAssembly":
        if self._quantizing is None:
            from app.assembly.quantize import QuantizeAssembly  # noqa: PLC0415 - as above

            self._quantizing = QuantizeAssembly(self._parts, self._navigation, self.jobs().jobs, self)
        return self._quantizing

    def lab(self) -> "LabAssembly":
        if self._lab is None:
            from app.assembly.lab import LabAssembly  # noqa: PLC0415 - as above

            self._lab = LabAssembly(
                self._parts,
                self._navigation,
                self.jobs().jobs,
                self.past_chats(),
                user_recipes=lambda: self.quantizing().recipe_store.recipes,
                parent=self,
            )
            lab, entry = self._lab.lab, self._workbench.sidebar.study
            lab.changed.connect(lambda: entry.show_progress(*lab.progress))
            entry.clicked.connect(self._lab.show_foremost)
        return self._lab

    def past_chats(self) -> "PastChats":
        if self._past_chats is None:
            from app.viewmodels.chat.past_chats import PastChats  # noqa: PLC0415 - as above

            notifier = self._parts.notifier
            self._past_chats = PastChats(self._parts.store, self._parts.folders, self)
            self._past_chats.problem.connect(notifier.error)
            self._past_chats.written.connect(lambda file: notifier.information(f"{Path(file).name} was saved.", file))
        return self._past_chats

    def _models_page(self) -> QWidget:
        from app.assembly.models import ModelsAssembly  # noqa: PLC0415 - as above

        self._models = ModelsAssembly(self._parts, self._navigation, self)
        page = self._models.page
        page.discover_requested.connect(self._discover)
        page.model_actions.quantize_requested.connect(lambda model: self.quantizing().open(model))
        page.model_actions.lab_requested.connect(lambda model, study: self.lab().measure(model, study))
        page.model_actions.publish_requested.connect(self._publish)
        return page

    def _discover_page(self) -> QWidget:
        page = self.hub().page()
        page.chat_requested.connect(self._navigation.chat_with)
        page.quantize_requested.connect(self._quantize)
        page.quantize_repository_requested.connect(lambda repository: self.quantizing().open_repository(repository))
        return page

    def _lab_page(self) -> QWidget:
        page = self.lab().page()
        page.quantize_requested.connect(self._quantize)
        table, settings = page.view.table, self._parts.preferences.settings
        table.set_columns(
            dict.fromkeys(settings.lab_columns_shown, True) | dict.fromkeys(settings.lab_columns_hidden, False)
        )
        table.columns_changed.connect(self._save_columns)
        return page

    def _save_columns(self, visibility: dict[str, bool]) -> None:
        preferences = self._parts.preferences
        preferences.set("lab_columns_shown", tuple(name for name, is_visible in visibility.items() if is_visible))
        preferences.set("lab_columns_hidden", tuple(name for name, is_visible in visibility.items() if not is_visible))

    def _publish_page(self) -> QWidget:
        page = self.hub().publish_page()
        page.closed.connect(lambda: self._navigation.show("models"))
        page.sign_in_requested.connect(self._navigation.sign_in)
        return page

    def _quantize_current(self) -> None:
        """Open the model selected on the Models page, or else the model of the chat."""
        from app.viewmodels.library.table import intact_model  # noqa: PLC0415 - as above

        is_on_page = self._navigation.current_page == "models"
        row = self._models.page.table.current_row() if self._models and is_on_page else None
        if row and (model := intact_model(row)):
            self.quantizing().open(model)
        else:
            self._quantize(self._parts.chat.model)

    def _quantize(self, model_id: str) -> None:
        if model := self._parts.library.description(model_id):
            self.quantizing().open(model)
        else:
            self._navigation.show("quantize")

    def _publish(self, model: "ModelDescription") -> None:
        self.hub().publishing.open(model)
        self._navigation.show("publish")

    def _discover(self, repository: str) -> None:
        self._navigation.show("discover")
        if repository:
            self.hub().discover.open(repository)

    def _export_chats(self, is_all: bool) -> None:
        from app.views.chat.export import export  # noqa: PLC0415 - as above

        chat = None if is_all else self._parts.chat.conversation
        export(self._workbench, self.past_chats(), chat.title if chat else "Chats", chat.id if chat else "")
