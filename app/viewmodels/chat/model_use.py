"""When each model was last chatted with."""

from PySide6.QtCore import QObject, Signal, Slot

from app.domain.conversation import Conversation
from app.domain.store import Store
from app.viewmodels.chat.chat import ChatViewModel
from mlx_engine.errors import StorageError


class ModelUse(QObject):
    """`last_used` has the Unix seconds by the id of the model; it follows what the chat stores."""

    changed = Signal()

    def __init__(self, store: Store, chat: ChatViewModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.last_used: dict[str, float] = {}
        try:
            known = store.conversations()
        except StorageError:
            known = []  # the list of conversations tells of it
        for conversation in known:
            self._take(conversation)
        chat.stored.connect(self._follow)

    def _take(self, conversation: Conversation) -> None:
        used = max(conversation.updated, self.last_used.get(conversation.model, 0.0))
        self.last_used[conversation.model] = used

    @Slot(object)
    def _follow(self, conversation: Conversation) -> None:
        self._take(conversation)
        self.changed.emit()
