"""The Lab: studies and their page, built on first use."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from app.assembly.navigation import Navigation
from app.assembly.parts import Parts
from app.viewmodels.bridges.questions import Questions
from app.viewmodels.bridges.study import StudyBridge
from app.viewmodels.chat.past_chats import PastChats
from app.viewmodels.jobs.queue import Jobs
from app.viewmodels.lab.contention import ResourceContention
from app.viewmodels.lab.corpus_check import CorpusCheck
from app.viewmodels.lab.draft import StudyDraft
from app.viewmodels.lab.export import ReportExport
from app.viewmodels.lab.related_models import is_same_network
from app.viewmodels.lab.studies import Lab
from app.viewmodels.lab.study_store import StudyStore
from app.viewmodels.lab.time_estimate import default_speeds
from app.viewmodels.tokens.view import TokenViewModel
from mlx_engine.measure.figures.sample import sample_key
from mlx_engine.measure.study.study import Study
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.quantize.recipes.recipe import Recipe

if TYPE_CHECKING:
    from app.views.lab.page import LabPage


class LabAssembly(QObject):
    """View-models of the Lab. `user_recipes` returns the recipes that the user made."""

    def __init__(
        self,
        parts: Parts,
        navigation: Navigation,
        jobs: Jobs,
        past_chats: PastChats,
        user_recipes: Callable[[], Sequence[Recipe]],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._parts, self._navigation, self._jobs = parts, navigation, jobs
        folders, library, machine = parts.folders, parts.library, parts.machine
        self.bridge = StudyBridge(folders, self)
        self._store = StudyStore(folders)
        self._page: LabPage | None = None
        self.contention = ResourceContention(library, machine, self._is_converting, self)
        self.lab = Lab(
            self._store,
            self.bridge,
            default_speeds(has_metal=machine.has_metal),
            available_bytes=machine.available_bytes,
            contention=self.contention,
            parent=self,
        )
        self.draft = StudyDraft(
            folders,
            library,
            Questions(folders.logs, self),
            machine,
            speeds=self.lab.speeds,
            names=lambda: self.lab.names,
            user_recipes=user_recipes,
            models_to_unload=self.contention.models_to_unload,
            corpus=CorpusCheck(folders, self, questions=Questions(folders.logs, self), chats=past_chats),
            parent=self,
        )
        self.export = ReportExport(self.lab, self)
        self.tokens = TokenViewModel(self.lab, Questions(folders.logs, self), folders, self)
        self._connect()
        self._offer_to_resume()

    def _connect(self) -> None:
        library = self._parts.library
        for source in (self.lab, self.draft, self.export):
            source.problem.connect(self._parts.notifier.error)
        self._jobs.changed.connect(lambda _id: self.contention.refresh())
        self.contention.changed.connect(self.lab.advance)
        library.refreshed.connect(self.draft.refresh)
        library.refreshed.connect(self.lab.refresh)
        self.lab.finished.connect(self._notify_finished)
        self.export.written.connect(self._notify_saved)

    def page(self) -> "LabPage":
        """Return the page of the Lab."""
        from app.views.lab.page import LabPage  # noqa: PLC0415 - studies run without their page
        from app.views.lab.views import VIEWS, LabView  # noqa: PLC0415 - as above
        from app.views.tokens.panel import TokensPanel  # noqa: PLC0415 - as above

        texts = LabView("Texts", lambda _lab, theme: TokensPanel(self.tokens, theme))
        page = self._page = LabPage(self.lab, self.draft, self.export, self._parts.theme, views=(*VIEWS, texts))
        page.chat_requested.connect(self._navigation.chat_with)
        page.reveal_requested.connect(lambda path: _reveal(Path(path)))
        page.discover_requested.connect(lambda: self._navigation.show("discover"))
        page.hub_requested.connect(self._navigation.search_hub)
        return page

    def new_study(self) -> None:
        """Show the form for a new study."""
        self._navigation.show("lab")
        if self._page:
            self._page.new()

    def measure(self, model: ModelDescription, study_name: str = "") -> None:
        """Show the model in the study of that name or the latest study that has it; else start a draft with it."""
        self.lab.refresh()
        labels = {study.plan.name: label for study in self._store.studies if (label := _label_of(model, study))}
        name = study_name if study_name in labels else next((name for name in self.lab.names if name in labels), "")
        if name:
            self._open(name)
            if self._page:
                self._page.view.table.select(sample_key(labels[name], 16))
            return
        self._navigation.show("lab")
        originals = [original for original in self.draft.originals() if is_same_network(model, original)]
        self.draft.start(max(originals, key=lambda original: original.size_bytes, default=model))
        if self._page:
            self._page.show_setup()

    def show_foremost(self) -> None:
        """Show the study that is running, or else the next one in the queue."""
        self._open(self.lab.foremost)

    def close(self) -> None:
        """End the processes; the next run offers to resume."""
        self.tokens.close()
        self.draft.close()
        self.lab.close()

    def _is_converting(self) -> bool:
        return any((item.task, item.kind) == ("conversion", "running") for item in self._jobs.items)

    def _offer_to_resume(self) -> None:
        if not (name := self.lab.interrupted):
            return
        title = f"The study “{name}” is unfinished."

        def withdraw_when_running() -> None:
            if self.lab.running == name:
                self.lab.changed.disconnect(withdraw_when_running)
                self._parts.notifier.withdraw(title)

        self.lab.changed.connect(withdraw_when_running)
        self._parts.notifier.information(
            title,
            "Facet quit while it was running. Completed measurements are saved.",
            action_title="Resume",
            action=lambda: self._resume(name),
            stays=True,
        )

    def _resume(self, name: str) -> None:
        self._open(name)
        self.lab.resume()

    def _notify_finished(self, name: str) -> None:
        # The study may have made models, which belong in the library.
        self._parts.library.refresh()
        is_visible = self._navigation.current_page == "lab" and self.lab.study and self.lab.study.plan.name == name
        if not is_visible:
            self._parts.notifier.information(
                f"The study “{name}” is finished.",
                self.lab.judgement,
                action_title="Show",
                action=lambda: self._open(name),
            )

    def _notify_saved(self, file: str) -> None:
        self._parts.notifier.information(
            f"{Path(file).name} was saved.", file, action_title="Show", action=lambda: _reveal(Path(file))
        )

    def _open(self, name: str) -> None:
        self.lab.open(name)
        self._navigation.show("lab")
        if self._page:
            self._page.show_study()


def _label_of(model: ModelDescription, study: Study) -> str:
    """Return the label of `model` in `study`, "" if the study does not have it."""
    path = model.path.resolve()
    return next((row.label for row in study.rows if Path(row.path).resolve() == path), "")


def _reveal(path: Path) -> None:
    """Select the path in the Finder; elsewhere open its folder."""
    if sys.platform == "darwin":
        subprocess.Popen(["/usr/bin/open", "-R", str(path)])  # noqa: S603 - a fixed program
    else:
        folder = path if path.is_dir() else path.parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
