"""The list of conversations in the sidebar."""

from enum import IntEnum

from PySide6.QtCore import QAbstractListModel, QObject, Qt, Signal

from app.domain.store import Store
from app.viewmodels.chat import ChatViewModel


class ConversationRole(IntEnum):
    TITLE = Qt.ItemDataRole.DisplayRole
    ID = Qt.ItemDataRole.UserRole + 1
    SUBTITLE = Qt.ItemDataRole.UserRole + 2  # "SmolLM2-135M-Instruct · 12 min"
    UPDATED = Qt.ItemDataRole.UserRole + 3  # Unix seconds
    SECTION = Qt.ItemDataRole.UserRole + 4  # "Today", "Yesterday", "Previous 7 days", …
    ANSWERING = Qt.ItemDataRole.UserRole + 5  # bool


class ConversationListModel(QAbstractListModel):
    """Newest first; it follows what `chat` stores."""

    problem = Signal(str, str)  # title, message
    deleted = Signal(str, str)  # id, title: offer to undo with `restore`

    def __init__(self, store: Store, chat: ChatViewModel, parent: QObject | None = None) -> None: ...
    def rename(self, conversation_id: str, title: str) -> None: ...
    def delete(self, conversation_id: str) -> None: ...
    def restore(self, conversation_id: str) -> None: ...
    def row_of(self, conversation_id: str) -> int: ...  # -1 when missing
    def refresh_times(self) -> None: ...  # the subtitles and sections age: call when the window comes to the front
