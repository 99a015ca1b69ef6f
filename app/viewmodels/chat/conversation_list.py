"""The list of conversations in the sidebar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import IntEnum
from time import time
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal, Slot

from app.domain.conversation import Conversation, replace_surrogates
from app.domain.store import Store
from app.viewmodels.chat.chat import ChatViewModel
from app.viewmodels.chat.message_items import short_name
from app.viewmodels.formatting.ages import date_section, format_age
from mlx_engine.errors import StorageError


class ConversationRole(IntEnum):
    TITLE = Qt.ItemDataRole.DisplayRole
    ID = Qt.ItemDataRole.UserRole + 1
    SUBTITLE = Qt.ItemDataRole.UserRole + 2  # "SmolLM2-135M-Instruct · 12 min"
    UPDATED = Qt.ItemDataRole.UserRole + 3  # Unix seconds
    SECTION = Qt.ItemDataRole.UserRole + 4  # "Today", "Yesterday", "Previous 7 days", …
    ANSWERING = Qt.ItemDataRole.UserRole + 5  # bool


class ConversationListModel(QAbstractListModel):
    """The most recently changed conversation comes first. The list follows the changes that `chat` stores."""

    deleted = Signal(str, str)  # id, title: offer to undo with `restore`
    problem = Signal(str, str)  # title, message

    def __init__(self, store: Store, chat: ChatViewModel, parent: QObject | None = None) -> None:
        """Read the list.

        Raises:
            StorageError: the file cannot be read.
        """
        super().__init__(parent)
        self._store = store
        self._chat = chat
        self._rows = store.conversations()
        self._answering = chat.answering
        self._readers: dict[int, Callable[[Conversation], Any]] = {
            ConversationRole.TITLE: lambda row: row.title,
            ConversationRole.ID: lambda row: row.id,
            ConversationRole.SUBTITLE: lambda row: f"{short_name(row.model)} · {format_age(row.updated, time())}",
            ConversationRole.UPDATED: lambda row: row.updated,
            ConversationRole.SECTION: lambda row: date_section(row.updated, time()),
            ConversationRole.ANSWERING: lambda row: row.id in self._answering,
        }
        chat.stored.connect(self._put)
        chat.answering_changed.connect(self._on_answering_changed)

    def rename(self, conversation_id: str, title: str) -> None:
        """Change the title; a blank one is ignored."""
        title = " ".join(replace_surrogates(title).split())
        row = self.row_of(conversation_id)
        if row < 0 or title in ("", self._rows[row].title):
            return
        conversation = replace(self._rows[row], title=title)
        with self._reporting_problems():
            self._store.save(conversation)
            self._put(conversation)
            self._chat.update_title(conversation)

    def delete(self, conversation_id: str) -> None:
        """Delete the conversation; `restore` brings it back until the app quits."""
        row = self.row_of(conversation_id)
        if row < 0:
            return
        with self._reporting_problems():
            self._store.delete(conversation_id)
            self.beginRemoveRows(QModelIndex(), row, row)
            conversation = self._rows.pop(row)
            self.endRemoveRows()
            self._chat.abandon(conversation_id)
            self.deleted.emit(conversation_id, conversation.title)

    def restore(self, conversation_id: str) -> None:
        """Bring back a deleted conversation."""
        with self._reporting_problems():
            self._store.restore(conversation_id)
            if conversation := self._store.conversation(conversation_id):
                self._put(conversation)

    def row_of(self, conversation_id: str) -> int:
        """Return the row of the conversation, or -1."""
        return next((number for number, row in enumerate(self._rows) if row.id == conversation_id), -1)

    def refresh_times(self) -> None:
        """Refresh ages and sections, which depend on the current time."""
        if self._rows:
            roles = [ConversationRole.SUBTITLE, ConversationRole.SECTION]
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1), roles)

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 - signature of Qt
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = ConversationRole.TITLE) -> Any:
        read = self._readers.get(role)
        return read(self._rows[index.row()]) if read and index.isValid() else None

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        """Allow editing titles in place; the view calls `rename`."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable if index.isValid() else Qt.ItemFlag.NoItemFlags

    def roleNames(self) -> dict[int, Any]:
        return {role: role.name.lower().encode() for role in ConversationRole}

    @Slot(object)
    def _put(self, conversation: Conversation) -> None:
        """Insert or update a conversation, sorted by time."""
        row = self.row_of(conversation.id)
        index = sum(row.updated > conversation.updated for row in self._rows if row.id != conversation.id)
        if row < 0:
            self.beginInsertRows(QModelIndex(), index, index)
            self._rows.insert(index, conversation)
            self.endInsertRows()
            return
        if index != row:
            # Qt counts the target row before the source row is removed.
            self.beginMoveRows(QModelIndex(), row, row, QModelIndex(), index + (index > row))
            self._rows.insert(index, self._rows.pop(row))
            self.endMoveRows()
        self._rows[index] = conversation
        self.dataChanged.emit(self.index(index), self.index(index))

    @contextmanager
    def _reporting_problems(self) -> Iterator[None]:
        try:
            yield
        except StorageError as error:
            self.problem.emit(error.title, error.message)

    @Slot()
    def _on_answering_changed(self) -> None:
        changed, self._answering = self._answering ^ self._chat.answering, self._chat.answering
        for row in filter(lambda row: row >= 0, map(self.row_of, changed)):
            self.dataChanged.emit(self.index(row), self.index(row), [ConversationRole.ANSWERING])
