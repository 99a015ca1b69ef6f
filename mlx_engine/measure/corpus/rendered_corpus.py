"""Renders a corpus as the text that all models of a comparison read: conversations by the reference's chat template."""

import math
from collections import Counter
from typing import Any

import msgspec

from mlx_engine.errors import BadCorpus, TemplateError
from mlx_engine.inference.rendering import finished_conversation
from mlx_engine.measure.corpus.corpus import Corpus, CorpusText
from mlx_engine.measure.results.convention import MIN_CHUNK_TOKENS, Convention
from mlx_engine.protocol import ChatMessage

_PROBE = (ChatMessage("user", "Which is the nearest star?"), ChatMessage("assistant", "The Sun."))
_MAX_PASTED_CHUNK = 1024
"""Tokens per chunk of pasted text; longer text is split evenly."""
_MAX_CHARACTERS_PER_TOKEN = 16
"""More than any text has; characters beyond the token limit are not read."""


class RenderedPassage(msgspec.Struct, frozen=True):
    """The concatenated texts of one kind, conversations rendered by the chat template."""

    kind: str
    text: str


class RenderedCorpus(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that determines which tokens a model reads; saved with the reference predictions.

    `probe` is a short conversation rendered by the reference's chat template, "" if it has none.
    """

    corpus: str
    passages: tuple[RenderedPassage, ...]
    probe: str
    convention: Convention
    limit_tokens: int = 0
    """Approximate maximum number of tokens; 0 means no limit."""


def render_corpus(corpus: Corpus, tokenizer: Any, convention: Convention, *, limit_tokens: int = 0) -> RenderedCorpus:
    """Render `corpus` with the chat template of `tokenizer`."""
    limit = (limit_tokens + convention.chunk_tokens) * _MAX_CHARACTERS_PER_TOKEN if limit_tokens else None
    return RenderedCorpus(
        corpus=corpus.name,
        passages=tuple(RenderedPassage(kind, text) for kind, text in _passages(corpus, tokenizer, limit).items()),
        probe=render_probe(tokenizer),
        convention=convention,
        limit_tokens=limit_tokens,
    )


def pasted_text_convention(corpus: Corpus, tokenizer: Any) -> Convention:
    """Return a convention that scores every token of a pasted text, in one chunk or several of equal length.

    Raises:
        BadCorpus: the text is shorter than the smallest chunk.
    """
    tokens = sum(len(tokenizer.encode(_rendered(text, tokenizer), add_special_tokens=False)) for text in corpus.texts)
    chunks = math.ceil(tokens / _MAX_PASTED_CHUNK)
    if tokens < MIN_CHUNK_TOKENS:
        raise BadCorpus(f"The text has {tokens} tokens. Use at least {MIN_CHUNK_TOKENS}, about two lines.")
    return Convention(chunk_tokens=tokens // chunks, scored="all")


def render_probe(tokenizer: Any) -> str:
    """Return a short conversation rendered by the model's chat template, "" if it has none."""
    return finished_conversation(tokenizer, _PROBE) if tokenizer.has_chat_template else ""


def _passages(corpus: Corpus, tokenizer: Any, limit: int | None) -> dict[str, str]:
    """Return the rendered text by kind, at most `limit` characters each: rendering many conversations is slow."""
    passages: dict[str, list[str]] = {}
    lengths: Counter[str] = Counter()
    for text in corpus.texts:
        parts = passages.setdefault(text.kind, [])
        if limit is None or lengths[text.kind] < limit:
            parts.append(_rendered(text, tokenizer))
            lengths[text.kind] += len(parts[-1])
    return {kind: "".join(parts)[:limit] for kind, parts in passages.items()}


def _rendered(text: CorpusText, tokenizer: Any) -> str:
    if not text.messages:
        return text.text
    if not tokenizer.has_chat_template:
        return "\n\n".join(f"{message.role.capitalize()}: {message.content}" for message in text.messages) + "\n\n"
    try:
        return finished_conversation(tokenizer, text.messages)
    except TemplateError as error:
        raise BadCorpus(f"The original's chat template rejects {text.name}. {error.message}") from error
