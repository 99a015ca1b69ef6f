"""Parts of the window that exist from its start, built in one place."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject

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
from app.views.shell.parts import WindowParts
from mlx_engine.folders import Folders
from mlx_engine.models.library.locations import Root, standard_roots
from mlx_engine.models.memory.machine import Machine, this_machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts(WindowParts):
    """Shared view-models and services, including those that no view may know."""

    machine: Machine
    store: Store
    engine: EngineBridge
    gate: LoadGate

    def close(self) -> None:
        """Store unfinished answers, and end the worker processes."""
        self.offline.restore()
        self.chat.close()
        self.engine.close()
        self.library.close()
        self.store.close()


def build_parts(
    folders: Folders,
    theme: Theme,
    parent: QObject,
    *,
    command: Sequence[str] | None = None,
    machine: Machine | None = None,
) -> Parts:
    """Build the parts as children of `parent`.

    Args:
        command: Starts a worker process; by default Facet's own.
        machine: The machine whose memory limits which models are loaded; by default this Mac.

    Raises:
        StorageError: the conversations or the settings cannot be read.
    """
    machine = machine or this_machine()
    preferences = Preferences(folders.settings, parent)
    store = Store(folders.data / "facet.sqlite3")
    engine = EngineBridge(folders.logs, parent, command=command)

    def other_roots() -> Sequence[Root]:
        return standard_roots(folders, [Path(folder) for folder in preferences.settings.model_folders])[1:]

    library = ModelLibrary(
        folders.models, engine, parent, other_roots=other_roots, cache_file=folders.cache / "library.json"
    )
    gate = LoadGate(engine, library, machine, parent)
    chat = ChatViewModel(store, engine, library, preferences, gate, parent)
    return Parts(
        folders=folders,
        theme=theme,
        notifier=Notifier(parent),
        preferences=preferences,
        offline=OfflineSwitch(preferences, folders.logs, parent),
        library=library,
        chat=chat,
        conversations=ConversationListModel(store, chat, parent),
        machine=machine,
        store=store,
        engine=engine,
        gate=gate,
    )
