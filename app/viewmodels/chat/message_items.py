"""What the transcript shows: one item a message of the path through the tree."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.domain.conversation import Message, MessageTree


@dataclass(frozen=True, slots=True)
class MessageItem:
    """What one message widget shows: version `branch` (counted from 1) of `branches` of the message, and `model_mark`:
    the name of the model that takes over from this message on, or nothing.
    """

    message: Message
    branch: int = 1
    branches: int = 1
    model_mark: str = ""


def items_of(tree: MessageTree, leaf: str | None, live: Message | None = None) -> Iterator[MessageItem]:
    """Give the items from the first message to `leaf`; `live` is an answer under way, newer than in the tree."""
    model = ""
    for known in tree.path(leaf):
        message = live if live and live.id == known.id else known
        versions = tree.siblings(message.id)
        item = MessageItem(message, versions.index(message.id) + 1, len(versions))
        if message.role == "assistant":
            yield replace(item, model_mark=name_of(message.model) if model not in ("", message.model) else "")
            model = message.model
        else:
            yield item


def name_of(model_id: str) -> str:
    """Return the model's name for people: its id without the owner."""
    return model_id.rpartition("/")[2]
