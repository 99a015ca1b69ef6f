"""The contents of the window: builds the shared parts and the workbench, and connects them.

Everything that can wait is built by `pages`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from app.assembly.pages import PageAssembly
from app.assembly.parts import build_parts
from app.views.kit.theme import Theme
from app.views.shell.main_window import MainWindow
from app.views.shell.workbench import Workbench
from mlx_engine.engine.values.state import Failed, Ready
from mlx_engine.folders import Folders
from mlx_engine.models.memory.machine import Machine

_BACKGROUND_MS = 1_500
"""Delay after the start of work that the user does not wait for."""

if TYPE_CHECKING:
    from app.starter_preparation import StarterPreparation


class Assembly(QObject):
    """Everything in `window`, built once. `command` and `machine` are those of `build_parts`."""

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
        self._failures: dict[Path, str] = {}
        """Titles of the notifications about models that failed and are not ready again."""
        self._starter: StarterPreparation | None = None
        self._parts = parts = build_parts(folders, theme, self, command=command, machine=machine)
        self.preferences, self.notifier, self.store = parts.preferences, parts.notifier, parts.store
        self.library, self.chat, self.conversations = parts.library, parts.chat, parts.conversations
        self._apply_preferences()
        self.workbench = Workbench(window, parts, new_page=self._new_page)
        self.pages = PageAssembly(parts, self.workbench, self)
        parts.gate.smaller_model_requested.connect(lambda: self.workbench.show_page("discover"))
        parts.engine.state_changed.connect(self._show_failure)
        self.preferences.changed.connect(self._apply_preferences)
        self.library.refreshed.connect(self._prepare_starter)
        self.library.refresh()
        self._show_damaged_files()
        QTimer.singleShot(_BACKGROUND_MS, self, self._start_background_work)

    def close(self) -> None:
        """Store unfinished answers, and end all child processes."""
        if self._starter:
            self._starter.close()
        self.pages.close()
        self._parts.close()

    def _new_page(self, name: str) -> QWidget:
        return self.pages.page(name)

    def _apply_preferences(self) -> None:
        settings = self.preferences.settings
        self._parts.theme.set_appearance(settings.appearance)
        self._parts.theme.set_text_size(settings.text_size)

    def _start_background_work(self) -> None:
        """Watch the library's folders, and resume jobs and studies of the last run."""
        from app.viewmodels.lab.study_store import RUNNING_FILE  # noqa: PLC0415 - not needed at the start
        from app.viewmodels.library.watch import LibraryWatch  # noqa: PLC0415 - as above
        from mlx_engine.engine.parents.queue_file import FILE_NAME  # noqa: PLC0415 - as above

        LibraryWatch(self.library, self)
        self.workbench.main_window.activated.connect(self.library.refresh)
        folders = self._parts.folders
        if (folders.data / FILE_NAME).exists():
            self.pages.jobs()
        if (folders.studies / RUNNING_FILE).exists():
            self.pages.lab()

    def _show_failure(self, model: Path) -> None:
        match self._parts.engine.state(model):
            case Failed(title, message, log_tail):
                self._failures[model] = title
                self.notifier.error(title, message, log_tail)
            case Ready() if model in self._failures:
                self.notifier.withdraw(self._failures.pop(model))

    def _show_damaged_files(self) -> None:
        for notice in (self.store.notice, self.preferences.notice):
            if notice:
                self.notifier.error("A file was damaged", notice)

    def _prepare_starter(self) -> None:
        """Install the starter model if the library has no usable model and none of Facet's; once per run."""
        self.library.refreshed.disconnect(self._prepare_starter)
        if self.library.usable() or any(row.origin == "facet" for row in self.library.rows):
            return
        from app.starter_preparation import StarterPreparation  # noqa: PLC0415 - needed once per installation

        self._starter = StarterPreparation(self._parts.folders, self)
        self._starter.ended.connect(self._finish_preparation)
        if self._starter.start():
            self.workbench.page.show_preparation("Preparing the starter model…")

    def _finish_preparation(self, problem: str) -> None:
        self.workbench.page.show_preparation("")
        if problem:
            self.notifier.error("Couldn't prepare the starter model", problem)
        self.library.refresh()
