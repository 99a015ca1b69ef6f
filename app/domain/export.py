"""Exports conversations as JSON lines, which Facet's measurements read, or as Markdown.

Only the visible path through the tree of messages is exported.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from app.domain.conversation import Conversation, Message, MessageState, MessageTree, prompt
from app.domain.fences import close_fences
from mlx_engine.protocol import ChatMessage


@dataclass(frozen=True, slots=True)
class VisibleConversation:
    """A conversation and the messages on its visible path."""

    conversation: Conversation
    path: tuple[Message, ...]


class _ConversationLine(msgspec.Struct, frozen=True):
    title: str
    messages: tuple[ChatMessage, ...]


def visible(conversation: Conversation, messages: Iterable[Message]) -> VisibleConversation:
    """Return the conversation with its visible messages, without a streaming answer."""
    tree = MessageTree(messages)
    leaf = conversation.leaf if conversation.leaf in tree else tree.newest_leaf()
    path = (message for message in tree.path(leaf) if message.state is not MessageState.STREAMING)
    return VisibleConversation(conversation, tuple(path))


def answered_messages(visible: VisibleConversation) -> tuple[ChatMessage, ...]:
    """Return the messages as a model reads them, up to the last answer; empty without an answer."""
    messages = prompt(visible.path, visible.conversation.system_prompt)
    last = max((number for number, message in enumerate(messages, 1) if message.role == "assistant"), default=0)
    return messages[:last]


def json_line(title: str, messages: tuple[ChatMessage, ...]) -> bytes:
    """Return a conversation as a line of JSON, without the line break."""
    return msgspec.json.encode(_ConversationLine(title, messages))


def json_lines(conversations: Iterable[VisibleConversation]) -> Iterator[bytes]:
    """Yield a line of JSON for each conversation with messages."""
    for visible in conversations:
        if messages := prompt(visible.path, visible.conversation.system_prompt):
            yield json_line(visible.conversation.title, messages)


def to_markdown(conversations: Sequence[VisibleConversation]) -> str:
    """Return all conversations in one document, with the messages unchanged, but for fences that lack an end."""
    return "\n---\n\n".join(_markdown(visible) for visible in conversations if visible.path)


def _markdown(visible: VisibleConversation) -> str:
    parts = [f"# {visible.conversation.title or 'Untitled'}"]
    if visible.conversation.system_prompt.strip():
        parts.append(f"**System prompt**\n\n{visible.conversation.system_prompt.strip()}")
    for message in visible.path:
        if message.text:
            author = "You" if message.role == "user" else message.model or "Answer"
            parts.append(f"**{author}**\n\n{close_fences(message.text.strip())}")
    return "\n\n".join(parts) + "\n"
