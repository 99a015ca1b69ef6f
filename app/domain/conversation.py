"""A conversation and its tree of messages. Knows neither Qt nor the database.

Editing or regenerating a message adds a sibling, so nothing is lost. The visible messages are one path through the
tree, from a root to `leaf`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from time import time
from typing import Literal

from app.domain.settings import Settings
from mlx_engine.protocol import CacheBits, ChatMessage, Statistics, new_id
from mlx_engine.sampling import Sampling

TITLE_LENGTH = 60

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Role = Literal["user", "assistant"]


class MessageState(StrEnum):
    COMPLETE = "complete"
    STREAMING = "streaming"
    STOPPED = "stopped"
    """The user stopped the answer."""
    INTERRUPTED = "interrupted"
    """The app quit during the answer."""
    FAILED = "failed"
    """The engine failed; `Message.error` has the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message. `created` is in Unix seconds; `model` is the library id of the model that answered."""

    id: str
    parent: str | None
    role: Role
    text: str
    thinking: str = ""
    thinking_s: float = 0.0
    model: str = ""
    state: MessageState = MessageState.COMPLETE
    error: str = ""
    statistics: Statistics | None = None
    created: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Properties of a conversation, without its messages. `model` is the library id of the model that answers next.

    `context` is the limit in tokens, 0 for the model's maximum; `cache_bits` are the bits of the KV cache.
    """

    id: str
    title: str
    model: str
    system_prompt: str
    sampling: Sampling
    think: bool
    leaf: str | None
    created: float
    updated: float
    folder: str = ""
    pinned: bool = False
    context: int = 0
    cache_bits: CacheBits = 16


class MessageTree:
    """The messages of one conversation. Siblings are in order of creation."""

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        """Add `messages`, each parent before its children."""
        self._messages: dict[str, Message] = {}
        self._children: dict[str | None, list[str]] = {None: []}
        for message in messages:
            self.add(message)

    def __getitem__(self, id: str) -> Message:
        return self._messages[id]

    def __contains__(self, id: object) -> bool:
        return id in self._messages

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: Message) -> None:
        """Add a new message below its parent.

        Raises:
            ValueError: the id exists already, or the parent is not in the tree.
        """
        if message.id in self._messages:
            raise ValueError(f"message {message.id} is in the tree already")
        if message.parent not in self._children:
            raise ValueError(f"message {message.id} has a parent that is not in the tree: {message.parent}")
        self._messages[message.id] = message
        self._children[message.parent].append(message.id)
        self._children[message.id] = []

    def replace(self, message: Message) -> None:
        """Replace the message with the same id and parent.

        Raises:
            ValueError: the message does not exist.
        """
        current = self._messages.get(message.id)
        if current is None or current.parent != message.parent:
            raise ValueError(f"message {message.id} is not in the tree below {message.parent}")
        self._messages[message.id] = message

    def path(self, leaf: str | None) -> list[Message]:
        """Return the messages from the root to `leaf`; empty for None."""
        path = []
        while leaf is not None:
            message = self._messages[leaf]
            path.append(message)
            leaf = message.parent
        return path[::-1]

    def siblings(self, id: str) -> list[str]:
        """Return the ids of all versions of the message, including itself."""
        return list(self._children[self._messages[id].parent])

    def newest_leaf(self, id: str | None = None) -> str | None:
        """Return the leaf reached from message `id`, or from the root, by always taking the newest version."""
        leaf = id
        while children := self._children[leaf]:
            leaf = children[-1]
        return leaf

    def switch(self, id: str, delta: int) -> str:
        """Return the leaf below the version `delta` steps after message `id`, clamped to the first and last version."""
        versions = self.siblings(id)
        index = min(max(versions.index(id) + delta, 0), len(versions) - 1)
        return self.newest_leaf(versions[index]) or id


def new_conversation(model: str, settings: Settings) -> Conversation:
    """Return an empty conversation with the defaults from the settings."""
    now = time()
    return Conversation(
        id=new_id(),
        title="",
        model=model,
        system_prompt=settings.system_prompt,
        sampling=settings.sampling,
        think=True,
        leaf=None,
        created=now,
        updated=now,
    )


def title_from(text: str) -> str:
    """Return a title from the start of a first message: one line, cut between words."""
    line = " ".join(_CONTROL.sub(" ", text[: 10 * TITLE_LENGTH]).split())
    if len(line) <= TITLE_LENGTH:
        return line or "Untitled"
    cut = line[:TITLE_LENGTH]
    return (cut.rpartition(" ")[0] or cut) + "…"


def replace_surrogates(text: str) -> str:
    """Return the text with lone surrogates replaced: a paste can contain them, but UTF-8 cannot encode them."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def prompt(path: Iterable[Message], system_prompt: str) -> tuple[ChatMessage, ...]:
    """Return the messages that the model reads to answer the last message of `path`.

    Empty answers (failed or stopped at once) are dropped, and the questions around them are joined: many chat templates
    reject two consecutive messages of the same role.
    """
    messages = [ChatMessage("system", system_prompt)] if system_prompt.strip() else []
    for message in path:
        if not message.text:
            continue
        if messages and messages[-1].role == message.role:
            messages[-1] = ChatMessage(message.role, f"{messages[-1].content}\n\n{message.text}")
        else:
            messages.append(ChatMessage(message.role, message.text))
    return tuple(messages)
