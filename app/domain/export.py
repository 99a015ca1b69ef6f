"""Conversations as texts for others: lines of JSON, as Facet's measurements read them, or Markdown.

What is on the screen is exported: of a tree of messages, the one path through it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from app.domain.conversation import Conversation, Message, MessageState, MessageTree, prompt
from mlx_engine.protocol import ChatMessage


@dataclass(frozen=True, slots=True)
class Said:
    """A conversation, and its messages on the screen."""

    conversation: Conversation
    path: tuple[Message, ...]


class _Line(msgspec.Struct, frozen=True):
    title: str
    messages: tuple[ChatMessage, ...]


def said(conversation: Conversation, messages: Iterable[Message]) -> Said:
    """Return what is on the screen of all messages; an answer that is still under way is left out."""
    tree = MessageTree(messages)
    leaf = conversation.leaf if conversation.leaf in tree else tree.newest_leaf()
    path = (message for message in tree.path(leaf) if message.state is not MessageState.STREAMING)
    return Said(conversation, tuple(path))


def answered(one: Said) -> tuple[ChatMessage, ...]:
    """Return the conversation as a model reads it, up to its last answer; nothing if it has none."""
    messages = prompt(one.path, one.conversation.system_prompt)
    last = max((place for place, message in enumerate(messages, 1) if message.role == "assistant"), default=0)
    return messages[:last]


def line(title: str, messages: tuple[ChatMessage, ...]) -> bytes:
    """Return a conversation as a line of JSON, without its end."""
    return msgspec.json.encode(_Line(title, messages))


def as_lines(conversations: Iterable[Said]) -> Iterator[bytes]:
    """Yield a line of JSON for each conversation in which something was said."""
    for one in conversations:
        if messages := prompt(one.path, one.conversation.system_prompt):
            yield line(one.conversation.title, messages)


def as_markdown(conversations: Sequence[Said]) -> str:
    """Return the conversations one after the other; what was said stands as it was written."""
    return "\n---\n\n".join(_markdown(one) for one in conversations if one.path)


def _markdown(one: Said) -> str:
    parts = [f"# {one.conversation.title or 'Untitled'}"]
    if one.conversation.system_prompt.strip():
        parts.append(f"**System prompt**\n\n{one.conversation.system_prompt.strip()}")
    for message in one.path:
        if message.text:
            who = "You" if message.role == "user" else message.model or "Answer"
            parts.append(f"**{who}**\n\n{message.text.strip()}")
    return "\n\n".join(parts) + "\n"
