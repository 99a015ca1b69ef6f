"""Models in the library and their page, built when the page is first shown."""

from PySide6.QtCore import QObject

from app.assembly.navigation import Navigation
from app.assembly.parts import Parts
from app.viewmodels.chat.model_use import ModelUse
from app.viewmodels.library.duplicates import DuplicateModels
from app.viewmodels.library.file_actions import ModelFileActions
from app.viewmodels.library.folders import ModelFolders
from app.viewmodels.library.imports import ModelImports
from app.viewmodels.library.inspection import ModelInspector
from app.viewmodels.library.revision_checker import RevisionChecker
from app.viewmodels.library.table import ModelTable
from app.views.models.page import ModelsPage, ModelsParts


class ModelsAssembly(QObject):
    """View-models of the Models page, and `page` itself."""

    def __init__(self, parts: Parts, navigation: Navigation, parent: QObject) -> None:
        super().__init__(parent)
        self._notifier = parts.notifier
        folders, library, chat = parts.folders, parts.library, parts.chat
        self._use = ModelUse(parts.store, chat, self)
        self._table = ModelTable(library, parts.machine, self)
        self.inspector = ModelInspector(folders, self)
        self.file_actions = ModelFileActions(library, folders.models, self)
        self.imports = ModelImports(folders.models, self)
        self.duplicates = DuplicateModels(library, self)
        self.revisions = RevisionChecker(folders.logs, self)
        self.folders = ModelFolders(library, parts.preferences, self)
        models_parts = ModelsParts(
            table=self._table,
            inspector=self.inspector,
            file_actions=self.file_actions,
            imports=self.imports,
            duplicates=self.duplicates,
            folders=self.folders,
            revisions=self.revisions,
        )
        self.page = ModelsPage(models_parts, parts.theme)
        self.page.model_actions.chat_requested.connect(navigation.chat_with)
        self._use.changed.connect(self._refresh_use)
        for source in (self.file_actions, self.imports, self.folders):
            source.problem.connect(self._notifier.error)
        self.file_actions.deleted.connect(self._notify_deleted)
        self.file_actions.renamed.connect(chat.rename_model)
        self._refresh_use()

    def close(self) -> None:
        """End the processes that read or copy models."""
        self.imports.close()
        self.inspector.close()
        self.duplicates.close()
        self.revisions.close()

    def _refresh_use(self) -> None:
        self._table.set_last_used(self._use.last_used)

    def _notify_deleted(self, name: str, message: str) -> None:
        self._notifier.information(f"{name} was moved to the Trash.", message)
