"""A conversation and the tree of its messages. Knows no Qt and no database.

A conversation is a tree: editing or regenerating a message adds a sibling, and nothing is lost. What is on the screen
is one path through it, from a root to `leaf`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from time import time
from typing import Literal
from uuid import uuid4

from app.domain.settings import Settings
from mlx_engine.protocol import CacheBits, ChatMessage, Statistics
from mlx_engine.sampling import Sampling

TITLE_LENGTH = 60

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Speaker = Literal["user", "assistant"]


class MessageState(StrEnum):
    COMPLETE = "complete"
    STREAMING = "streaming"
    STOPPED = "stopped"
    """The reader stopped the answer."""
    INTERRUPTED = "interrupted"
    """The app ended in the middle of the answer."""
    FAILED = "failed"
    """The engine failed; `Message.error` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. `created` is in Unix seconds; `model` is the library id of the model that answered."""

    id: str
    parent: str | None
    role: Speaker
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
    """What a conversation is besides its messages. `model` is the library id of the model that answers next.

    `context` is in tokens, 0 for as many as the model reads; `cache_bits` are those in which it keeps them.
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
    """The messages of one conversation; siblings are in the order in which they came."""

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        """Take the messages, every parent before its children."""
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
            ValueError: its id is taken, or its parent is not in the tree.
        """
        if message.id in self._messages:
            raise ValueError(f"message {message.id} is in the tree already")
        if message.parent not in self._children:
            raise ValueError(f"message {message.id} has a parent that is not in the tree: {message.parent}")
        self._messages[message.id] = message
        self._children[message.parent].append(message.id)
        self._children[message.id] = []

    def replace(self, message: Message) -> None:
        """Put the message in the place of the one that has the same id and parent.

        Raises:
            ValueError: there is no such message.
        """
        known = self._messages.get(message.id)
        if known is None or known.parent != message.parent:
            raise ValueError(f"message {message.id} is not in the tree below {message.parent}")
        self._messages[message.id] = message

    def path(self, leaf: str | None) -> list[Message]:
        """Return the messages from the root to `leaf`; none if it is None."""
        found = []
        while leaf is not None:
            message = self._messages[leaf]
            found.append(message)
            leaf = message.parent
        return found[::-1]

    def siblings(self, id: str) -> list[str]:
        """Return the ids of all versions of the message, itself included."""
        return list(self._children[self._messages[id].parent])

    def newest_leaf(self, id: str | None = None) -> str | None:
        """Return the leaf below message `id` that is reached by its newest versions, or that of the whole tree."""
        leaf = id
        while children := self._children[leaf]:
            leaf = children[-1]
        return leaf

    def switch(self, id: str, delta: int) -> str:
        """Return the leaf to show to see the version `delta` places after message `id`; the ends stay put."""
        versions = self.siblings(id)
        index = min(max(versions.index(id) + delta, 0), len(versions) - 1)
        return self.newest_leaf(versions[index]) or id


def new_id() -> str:
    """Return an id that no other message or conversation has."""
    return uuid4().hex


def draft(model: str, settings: Settings) -> Conversation:
    """Return a new, empty conversation with the defaults of the settings."""
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
    """Return a title made of the beginning of a first message: one line, cut between words."""
    line = " ".join(_CONTROL.sub(" ", text[: 10 * TITLE_LENGTH]).split())
    if len(line) <= TITLE_LENGTH:
        return line or "Untitled"
    cut = line[:TITLE_LENGTH]
    return (cut.rpartition(" ")[0] or cut) + "…"


def whole_characters(text: str) -> str:
    """Return the text without halves of characters (lone surrogates), which a paste can bring and no file can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def prompt(path: Iterable[Message], system_prompt: str) -> tuple[ChatMessage, ...]:
    """Return what the model reads to answer the last message of `path`.

    Empty answers (failed, or stopped at once) are left out, and the questions around them become one: many chat
    templates refuse two messages of the same speaker in a row.
    """
    said = [ChatMessage("system", system_prompt)] if system_prompt.strip() else []
    for message in path:
        if not message.text:
            continue
        if said and said[-1].role == message.role:
            said[-1] = ChatMessage(message.role, f"{said[-1].content}\n\n{message.text}")
        else:
            said.append(ChatMessage(message.role, message.text))
    return tuple(said)
