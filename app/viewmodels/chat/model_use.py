"""Time of the last chat with each model."""

from PySide6.QtCore import QObject, Signal, Slot

from app.domain.conversation import Conversation
from app.domain.store import Store
from app.viewmodels.chat.chat import ChatViewModel
from mlx_engine.errors import StorageError


class ModelUse(QObject):
    """`last_used` has Unix seconds by model id, and follows the changes that the chat stores."""

    changed = Signal()

    def __init__(self, store: Store, chat: ChatViewModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.last_used: dict[str, float] = {}
        try:
            conversations = store.conversations()
        except StorageError:
            conversations = []  # the list of conversations reports it
        for conversation in conversations:
            self._record(conversation)
        chat.stored.connect(self._on_stored)

    def _record(self, conversation: Conversation) -> None:
        last_used = max(conversation.updated, self.last_used.get(conversation.model, 0.0))
        self.last_used[conversation.model] = last_used

    @Slot(object)
    def _on_stored(self, conversation: Conversation) -> None:
        self._record(conversation)
        self.changed.emit()
