"""The conversation on the screen and the tree of its messages. Whatever changes is stored first, then taken over."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.domain.conversation import Conversation, Message, MessageTree
from app.domain.store import Store
from mlx_engine.errors import StorageError


class OpenConversation(QObject):
    """`value` is the conversation, a draft as long as it has no leaf; `tree` has its messages."""

    stored = Signal(object)  # Conversation, new or with new values
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
        """The messages on the screen."""
        return self.tree.path(self.value.leaf)

    def put(self, conversation: Conversation, tree: MessageTree) -> None:
        """Hold another conversation; one whose leaf is lost shows its newest messages."""
        leaf = conversation.leaf if conversation.leaf in tree else tree.newest_leaf()
        self.value, self.tree = replace(conversation, leaf=leaf), tree

    def read(self, id: str) -> bool:
        """Hold the conversation of that id. False: there is none, or it cannot be read."""
        try:
            conversation, messages = self._store.conversation(id), self._store.messages(id)
        except StorageError as error:
            self.problem.emit(error.title, error.message)
            return False
        if conversation:
            self.put(conversation, MessageTree(messages))
        return conversation is not None

    def change(self, messages: Sequence[Message] = (), **values: Any) -> bool:
        """Store the conversation with new values and messages, then take them over. A draft that stays one is kept.

        False: it could not be stored, and nothing has changed.
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
        """Call a model by its new id in all that was ever said. False: it could not be stored."""
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
