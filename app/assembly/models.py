"""What has to do with the models on this machine, built in one place when it is first wanted."""

from collections.abc import Callable

from PySide6.QtCore import QObject

from app.domain.store import Store
from app.viewmodels.bridges.preferences import Preferences
from app.viewmodels.chat.chat import ChatViewModel
from app.viewmodels.chat.model_use import ModelUse
from app.viewmodels.library.duplicates import DuplicateModels
from app.viewmodels.library.file_actions import ModelKeeping
from app.viewmodels.library.folders import ModelFolders
from app.viewmodels.library.imports import ModelImports
from app.viewmodels.library.inspection import ModelInspector
from app.viewmodels.library.library import ModelLibrary
from app.viewmodels.library.newer_revision import NewerRevision
from app.viewmodels.library.table import ModelTable
from app.views.kit.notification import Notifier
from app.views.kit.theme import Theme
from app.views.models.page import ModelsPage, ModelsParts
from mlx_engine.folders import Folders
from mlx_engine.models.memory.machine import this_machine


class ModelsAssembly(QObject):
    """`page` shows the models. `chat_with` is called with the id of the one that was chosen for a chat, `discover` with
    a repository on the Hub.
    """

    def __init__(  # noqa: PLR0913 - where these meet
        self,
        folders: Folders,
        library: ModelLibrary,
        store: Store,
        chat: ChatViewModel,
        preferences: Preferences,
        *,
        notifier: Notifier,
        theme: Theme,
        parent: QObject,
        chat_with: Callable[[str], None],
        discover: Callable[[str], None],
    ) -> None:
        super().__init__(parent)
        self._notifier = notifier
        self._use = ModelUse(store, chat, self)
        self._table = ModelTable(library, this_machine(), self)
        self.inspector = ModelInspector(folders, self)
        self.keeping = ModelKeeping(library, folders.models, self)
        self.imports = ModelImports(folders.models, self)
        self.duplicates = DuplicateModels(library, self)
        self.revisions = NewerRevision(folders.logs, self)
        self.folders = ModelFolders(library, preferences, self)
        parts = ModelsParts(
            table=self._table,
            inspector=self.inspector,
            keeping=self.keeping,
            imports=self.imports,
            duplicates=self.duplicates,
            folders=self.folders,
            revisions=self.revisions,
        )
        self.page = ModelsPage(parts, theme)
        self.page.offers.chat_requested.connect(chat_with)
        self.page.discover_requested.connect(discover)
        self._use.changed.connect(self._follow_use)
        for source in (self.keeping, self.imports, self.folders):
            source.problem.connect(notifier.error)
        self.keeping.deleted.connect(self._tell_deletion)
        self.keeping.renamed.connect(chat.rename_model)
        self._follow_use()

    def close(self) -> None:
        """End what still reads or copies."""
        self.imports.close()
        self.inspector.close()
        self.duplicates.close()
        self.revisions.close()

    def _follow_use(self) -> None:
        self._table.set_last_used(self._use.last_used)

    def _tell_deletion(self, name: str, frees: str) -> None:
        self._notifier.information(f"{name} is in the trash.", frees)
