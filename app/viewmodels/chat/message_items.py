"""Items of the transcript: one per visible message."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.domain.conversation import Message, MessageTree


@dataclass(frozen=True, slots=True)
class MessageItem:
    """A message, as version `branch` (from 1) of `branches`. `new_model` is the short name of the model if it differs
    from that of the previous answer.
    """

    message: Message
    branch: int = 1
    branches: int = 1
    new_model: str = ""


def message_items(tree: MessageTree, leaf: str | None, live: Message | None = None) -> Iterator[MessageItem]:
    """Yield the items from the root to `leaf`. `live` is a streaming answer, newer than the one in the tree."""
    model = ""
    for stored in tree.path(leaf):
        message = live if live and live.id == stored.id else stored
        versions = tree.siblings(message.id)
        item = MessageItem(message, versions.index(message.id) + 1, len(versions))
        if message.role == "assistant":
            yield replace(item, new_model=short_name(message.model) if model not in ("", message.model) else "")
            model = message.model
        else:
            yield item


def short_name(model_id: str) -> str:
    """Return the id of a model without its owner."""
    return model_id.rpartition("/")[2]
