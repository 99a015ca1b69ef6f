"""The current conversation and its tree of messages. Changes are stored before they take effect."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.domain.conversation import Conversation, Message, MessageTree
from app.domain.store import Store
from mlx_engine.errors import StorageError


class OpenConversation(QObject):
    """`value` is the conversation, a draft while it has no leaf; `tree` has its messages."""

    stored = Signal(object)  # new or changed Conversation
    title_changed = Signal()
    problem = Signal(str, str)  # title, message

    def __init__(self, store: Store, draft: Conversation, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self.value = draft
        self.tree = MessageTree()

    @property
    def is_draft(self) -> bool:
        return not self.value.leaf

    @property
    def path(self) -> list[Message]:
        """The visible messages."""
        return self.tree.path(self.value.leaf)

    def set(self, conversation: Conversation, tree: MessageTree) -> None:
        """Switch to another conversation; without a valid leaf, to its newest messages."""
        leaf = conversation.leaf if conversation.leaf in tree else tree.newest_leaf()
        self.value, self.tree = replace(conversation, leaf=leaf), tree

    def read(self, id: str) -> bool:
        """Read a conversation. Return False if it does not exist or cannot be read."""
        try:
            conversation, messages = self._store.conversation(id), self._store.messages(id)
        except StorageError as error:
            self.problem.emit(error.title, error.message)
            return False
        if conversation:
            self.set(conversation, MessageTree(messages))
        return conversation is not None

    def change(self, messages: Sequence[Message] = (), **values: Any) -> bool:
        """Store and apply new values and messages. A draft without messages is not stored.

        Return False if storing failed and nothing has changed.
        """
        conversation = replace(self.value, **values)
        if conversation.leaf:
            try:
                self._store.save(conversation, messages)
            except StorageError as error:
                self.problem.emit(error.title, error.message)
                return False
        for message in messages:
            self.tree.add(message)
        before, self.value = self.value, conversation
        if conversation.leaf:
            self.stored.emit(conversation)
        if conversation.title != before.title:
            self.title_changed.emit()
        return True

    def rename_model(self, old: str, new: str) -> bool:
        """Replace the id of a model in all conversations. Return False if storing failed."""
        try:
            renamed = self._store.rename_model(old, new)
        except StorageError as error:
            self.problem.emit(error.title, error.message)
            return False
        for conversation in renamed:
            self.stored.emit(conversation)
        if self.is_draft and self.value.model == old:
            self.value = replace(self.value, model=new)
        elif not self.is_draft:
            self.read(self.value.id)
        return True
