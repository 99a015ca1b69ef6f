"""The Lab, built in one place and only when it is wanted."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices

from app.viewmodels.bridges.outline_reader import OutlineReader
from app.viewmodels.bridges.study import StudyBridge
from app.viewmodels.bridges.text_reader import TextReader
from app.viewmodels.bridges.token_jobs import TokenJobs
from app.viewmodels.chat.past_chats import PastChats
from app.viewmodels.jobs.queue import Jobs
from app.viewmodels.lab.contention import Beside
from app.viewmodels.lab.draft import LabDraft
from app.viewmodels.lab.export import LabExport
from app.viewmodels.lab.related_models import is_kin
from app.viewmodels.lab.studies import Lab
from app.viewmodels.lab.study_store import LabShelf
from app.viewmodels.lab.text import LabText
from app.viewmodels.lab.time_estimate import guess
from app.viewmodels.library.library import ModelLibrary
from app.viewmodels.tokens.view import TokenView
from app.views.kit.notification import Notifier
from app.views.kit.theme import Theme
from mlx_engine.folders import Folders
from mlx_engine.measure.charts.quantities import sample_key
from mlx_engine.measure.study.study import Study
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.quantize.recipes.recipe import Recipe

if TYPE_CHECKING:
    from app.views.lab.page import LabPage


class LabAssembly(QObject):
    """`show` leads to a page, `shown` gives the present one; `chat_with` and `quantize` take a model's id. `command`
    starts a job process; the default is Facet's own.
    """

    def __init__(  # noqa: PLR0913 - where these meet
        self,
        folders: Folders,
        library: ModelLibrary,
        jobs: Jobs,
        notifier: Notifier,
        theme: Theme,
        machine: Machine,
        *,
        parent: QObject,
        show: Callable[[str], object],
        shown: Callable[[], str],
        chat_with: Callable[[str], None],
        quantize: Callable[[str], None],
        own: Callable[[], Sequence[Recipe]] = tuple,
        chats: PastChats | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        super().__init__(parent)
        self._jobs, self._library, self._notifier, self._theme = jobs, library, notifier, theme
        self._show, self._shown, self._chat_with, self._quantize = show, shown, chat_with, quantize
        self.bridge = StudyBridge(folders, self, command=command)
        self._shelf = LabShelf(folders)
        self._page: LabPage | None = None
        self.beside = Beside(library, machine, self._is_converting, self)
        self.lab = Lab(
            self._shelf,
            self.bridge,
            guess(has_metal=machine.has_metal),
            available_bytes=machine.available_bytes,
            beside=self.beside,
            parent=self,
        )
        self.draft = LabDraft(
            folders,
            library,
            OutlineReader(folders.logs, self, command=command),
            machine,
            pace=self.lab.pace,
            names=lambda: self.lab.names,
            own=own,
            displaced=self.beside.displaced,
            text=LabText(folders, self, reader=TextReader(folders.logs, self, command=command), chats=chats),
            parent=self,
        )
        self.export = LabExport(self.lab, self)
        self.tokens = TokenView(self.lab, TokenJobs(folders, self, command=command), folders, self)
        for source in (self.lab, self.draft, self.export):
            source.problem.connect(notifier.error)
        jobs.changed.connect(lambda _id: self.beside.look())
        self.beside.changed.connect(self.lab.go_on)
        library.refreshed.connect(self.draft.refresh)
        library.refreshed.connect(self.lab.refresh)
        self.lab.finished.connect(self._tell_finished)
        self.export.written.connect(self._tell_written)
        self._offer_to_go_on()

    def page(self) -> "LabPage":
        """Return the page."""
        from app.views.lab.page import LabPage  # noqa: PLC0415 - studies can go on without it
        from app.views.lab.views import VIEWS, View  # noqa: PLC0415 - as above
        from app.views.tokens.panel import TokensPanel  # noqa: PLC0415 - as above

        texts = View("Texts", lambda _lab, theme: TokensPanel(self.tokens, theme))
        page = self._page = LabPage(self.lab, self.draft, self.export, self._theme, views=(*VIEWS, texts))
        page.chat_requested.connect(self._chat_with)
        page.quantize_requested.connect(self._quantize)
        page.reveal_requested.connect(lambda path: _reveal(Path(path)))
        page.discover_requested.connect(lambda: self._show("discover"))
        page.hub_requested.connect(self._look_for)
        return page

    def new_study(self) -> None:
        """Show the page where a study is put together."""
        self._show("lab")
        if self._page:
            self._page.new()

    def measure(self, model: ModelDescription, study: str = "") -> None:
        """Show the model in this study, or else in the latest that has it, or begin one with it."""
        self.lab.refresh()
        having = {kept.plan.name: label for kept in self._shelf.studies if (label := _label_of(model, kept))}
        name = study if study in having else next((name for name in self.lab.names if name in having), "")
        if name:
            self._open(name)
            if self._page:
                self._page.view.table.select(sample_key(having[name], 16))
            return
        self._show("lab")
        kin = [one for one in self.draft.originals() if is_kin(model, one)]
        self.draft.begin(max(kin, key=lambda one: one.size_bytes, default=model))
        if self._page:
            self._page.show_setup()

    def show_foremost(self) -> None:
        """Show the study that is worked on, or else the one that waits."""
        self._open(self.lab.foremost)

    def close(self) -> None:
        """End the processes; the next run offers to go on."""
        self.tokens.close()
        self.draft.close()
        self.lab.close()

    def _look_for(self, words: str) -> None:
        from app.views.discover.page import DiscoverPage  # noqa: PLC0415 - not before it is wanted

        page = self._show("discover")
        if isinstance(page, DiscoverPage):
            page.look_for(words)

    def _is_converting(self) -> bool:
        return any((item.task, item.kind) == ("conversion", "running") for item in self._jobs.items)

    def _offer_to_go_on(self) -> None:
        if not (name := self.lab.interrupted):
            return
        title = f"The study “{name}” is unfinished."

        def follow() -> None:
            if self.lab.running == name:
                self.lab.changed.disconnect(follow)
                self._notifier.withdraw(title)

        self.lab.changed.connect(follow)
        self._notifier.information(
            title,
            "Facet was closed while it ran. What was measured is kept.",
            action_title="Resume",
            action=lambda: self._go_on(name),
            stays=True,
        )

    def _go_on(self, name: str) -> None:
        self._open(name)
        self.lab.start()

    def _tell_finished(self, name: str) -> None:
        # What the study has made belongs into the library.
        self._library.refresh()
        if self._shown() == "lab" and self.lab.study and self.lab.study.plan.name == name:
            return
        self._notifier.information(
            f"The study “{name}” is finished.", self.lab.judgement, action_title="Show", action=lambda: self._open(name)
        )

    def _tell_written(self, file: str) -> None:
        self._notifier.information(
            f"{Path(file).name} is written.", file, action_title="Show", action=lambda: _reveal(Path(file))
        )

    def _open(self, name: str) -> None:
        self.lab.open(name)
        self._show("lab")
        if self._page:
            self._page.show_study()


def _label_of(model: ModelDescription, study: Study) -> str:
    """Return what `model` is called in `study`, "" if it is not in it."""
    here = model.path.resolve()
    return next((row.label for row in study.rows if Path(row.path).resolve() == here), "")


def _reveal(path: Path) -> None:
    """Show the folder in the file manager, marked in the one above where the system can do that."""
    if sys.platform == "darwin":
        subprocess.Popen(["/usr/bin/open", "-R", str(path)])  # noqa: S603 - a fixed program
    else:
        folder = path if path.is_dir() else path.parent
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
