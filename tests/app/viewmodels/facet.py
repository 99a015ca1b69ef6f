"""The view-models put together as the app does, on real files, with a scripted engine."""

from pathlib import Path

from PySide6.QtCore import QObject, QTimer
from pytestqt.qtbot import QtBot

from app.domain.conversation import Message
from app.domain.store import Store
from app.viewmodels.bridges.engine import EngineBridge
from app.viewmodels.bridges.preferences import Preferences
from app.viewmodels.chat.chat import ChatViewModel
from app.viewmodels.chat.conversation_list import ConversationListModel
from app.viewmodels.chat.load_gate import LoadGate
from app.viewmodels.library.library import ModelLibrary
from mlx_engine.models.memory.machine import Machine
from tests.app.fake_models import make_model
from tests.scripted_worker import Script, command

MODEL, OTHER = "owner/Alpha", "owner/Beta"
TIMEOUT_MS = 20_000
AMPLE = Machine(2**34, 2**34, "for the test", has_metal=True)


class Facet(QObject):
    """One run of the app without a window. `told` and `problems` hold what the chat has told, in order."""

    def __init__(self, home: Path, script: Script, machine: Machine | None = None) -> None:
        super().__init__()
        self.models = home / "models"
        if not self.models.exists():
            make_model(self.models, MODEL)
            make_model(self.models, OTHER)
        self.store = Store(home / "facet.sqlite3")
        self.bridge = EngineBridge(home / "logs", self, command=command(script))
        self.preferences = Preferences(home / "settings.json", self)
        self.library = ModelLibrary(self.models, self.bridge, self)
        self.gate = LoadGate(self.bridge, self.library, machine or AMPLE, self)
        self.chat = ChatViewModel(self.store, self.bridge, self.library, self.preferences, self.gate, self)
        self.conversations = ConversationListModel(self.store, self.chat, self)
        self.streamed: list[tuple[str, str, str]] = []
        self.problems: list[str] = []
        self.chat.text_streamed.connect(lambda *piece: self.streamed.append(piece))
        self.chat.problem.connect(lambda title, message: self.problems.append(message))
        self.conversations.problem.connect(lambda title, message: self.problems.append(message))

    def close(self) -> None:
        self.library.close()
        self.chat.close()
        self.bridge.close()
        self.store.close()

    def ready(self, qtbot: QtBot) -> "Facet":
        """Wait until the library is loaded."""
        with qtbot.waitSignal(self.library.refreshed, timeout=TIMEOUT_MS):
            self.library.refresh()
        return self

    def ask(self, qtbot: QtBot, text: str) -> Message:
        """Send the text, wait for the end of the answer, and return it."""
        assert self.chat.send(text)
        return self.answered(qtbot)

    def answered(self, qtbot: QtBot) -> Message:
        """Wait until the chat is idle; return the last message."""
        qtbot.waitUntil(lambda: not self.chat.busy, timeout=TIMEOUT_MS)
        return self.last

    @property
    def last(self) -> Message:
        return self.chat.items[-1].message

    @property
    def stored(self) -> list[Message]:
        """Stored messages of the conversation on the screen."""
        assert self.chat.conversation
        return self.store.messages(self.chat.conversation.id)

    @property
    def path(self) -> list[str]:
        return [item.message.text for item in self.chat.items]

    @property
    def running_timers(self) -> list[QTimer]:
        return [timer for timer in self.findChildren(QTimer) if timer.isActive()]
