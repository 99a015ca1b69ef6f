"""The words that all models of a comparison read: texts, and conversations in the words of the reference's template."""

import math
from collections import Counter
from typing import Any

import msgspec

from mlx_engine.errors import BadCorpus, TemplateError
from mlx_engine.inference.prompt import finished_conversation
from mlx_engine.measure.corpus.corpus import Corpus, Text
from mlx_engine.measure.results.convention import LEAST_CHUNK, Convention
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


_most_typed = 1024
"""Tokens of a chunk of a text that was typed in; longer ones are split evenly."""
_most_characters_per_token = 16
"""More than any text has; what lies beyond the limit is not read."""


def reading(corpus: Corpus, tokenizer: Any, convention: Convention, *, limit_tokens: int = 0) -> Reading:
    """Put the texts of `corpus` into words for the model that `tokenizer` belongs to."""
    most = (limit_tokens + convention.chunk_tokens) * _most_characters_per_token if limit_tokens else None
    return Reading(
        corpus=corpus.name,
        passages=tuple(Passage(kind, text) for kind, text in _passages(corpus, tokenizer, most).items()),
        probe=probe(tokenizer),
        convention=convention,
        limit_tokens=limit_tokens,
    )


def whole_text(corpus: Corpus, tokenizer: Any) -> Convention:
    """Return the convention by which all of a text is scored that was typed in: a chunk, or several of one length.

    Raises:
        BadCorpus: it has only a few words.
    """
    tokens = sum(len(tokenizer.encode(_rendered(text, tokenizer), add_special_tokens=False)) for text in corpus.texts)
    chunks = math.ceil(tokens / _most_typed)
    if tokens < LEAST_CHUNK:
        raise BadCorpus(f"The text has {tokens} tokens. Give at least {LEAST_CHUNK}, which is two lines or so.")
    return Convention(chunk_tokens=tokens // chunks, scored="all")


def probe(tokenizer: Any) -> str:
    """Return a short conversation in the words of the model's chat template, "" if it has none."""
    return finished_conversation(tokenizer, _probe) if tokenizer.has_chat_template else ""


def _passages(corpus: Corpus, tokenizer: Any, most: int | None) -> dict[str, str]:
    """Return the words of each kind, no more than are needed: to render many conversations takes its time."""
    found: dict[str, list[str]] = {}
    lengths: Counter[str] = Counter()
    for text in corpus.texts:
        parts = found.setdefault(text.kind, [])
        if most is None or lengths[text.kind] < most:
            parts.append(_rendered(text, tokenizer))
            lengths[text.kind] += len(parts[-1])
    return {kind: "".join(parts)[:most] for kind, parts in found.items()}


def _rendered(text: Text, tokenizer: Any) -> str:
    if not text.messages:
        return text.text
    if not tokenizer.has_chat_template:
        return "\n\n".join(f"{one.role.capitalize()}: {one.content}" for one in text.messages) + "\n\n"
    try:
        return finished_conversation(tokenizer, text.messages)
    except TemplateError as error:
        raise BadCorpus(f"{text.name} cannot be put into the words of the original. {error.message}") from error
