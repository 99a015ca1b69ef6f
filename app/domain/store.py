"""Conversations and their messages on disk."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.domain.conversation import Conversation, Message


@dataclass(frozen=True, slots=True)
class Hit:
    """A place found by a search."""

    conversation: Conversation
    message_id: str | None
    snippet: str


class Store:
    notice: str  # "" or a sentence to show: a damaged file was put aside

    def __init__(self, path: Path) -> None: ...
    def conversations(self) -> list[Conversation]: ...
    def messages(self, conversation_id: str) -> list[Message]: ...
    def save(self, conversation: Conversation, messages: Iterable[Message] = ()) -> None: ...
    def close(self) -> None: ...
