"""The words that all models of a comparison read: texts, and conversations in the words of the reference's template."""

from typing import Any

import msgspec

from mlx_engine.inference.prompt import finished_conversation
from mlx_engine.measure.convention import Convention
from mlx_engine.measure.corpus import Corpus, Text
from mlx_engine.protocol import ChatMessage

_probe = (ChatMessage("user", "Which is the nearest star?"), ChatMessage("assistant", "The Sun."))


class Passage(msgspec.Struct, frozen=True):
    """What models read of a kind: its texts one after the other, conversations in the words of the chat template."""

    kind: str
    text: str


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides which tokens a model reads: made with the reference's tokenizer, and kept with its answers.

    `probe` is a short conversation in the words of the reference's chat template, "" if it has none.
    """

    corpus: str
    passages: tuple[Passage, ...]
    probe: str
    convention: Convention
    limit_tokens: int = 0
    """Of how many tokens it is at most, about; 0 is all."""


def reading(corpus: Corpus, tokenizer: Any, convention: Convention, *, limit_tokens: int = 0) -> Reading:
    """Put the texts of `corpus` into words for the model that `tokenizer` belongs to."""
    passages = tuple(
        Passage(kind, "".join(_rendered(text, tokenizer) for text in corpus.texts if text.kind == kind))
        for kind in corpus.kinds
    )
    return Reading(
        corpus=corpus.name,
        passages=passages,
        probe=probe(tokenizer),
        convention=convention,
        limit_tokens=limit_tokens,
    )


def probe(tokenizer: Any) -> str:
    """Return a short conversation in the words of the model's chat template, "" if it has none."""
    return finished_conversation(tokenizer, _probe) if tokenizer.has_chat_template else ""


def _rendered(text: Text, tokenizer: Any) -> str:
    if not text.messages:
        return text.text
    if not tokenizer.has_chat_template:
        return "\n\n".join(f"{one.role.capitalize()}: {one.content}" for one in text.messages) + "\n\n"
    return finished_conversation(tokenizer, text.messages)
