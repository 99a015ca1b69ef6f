"""Tokenizes a rendered corpus once, so that every model of a comparison reads exactly the same tokens."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import BadCorpus, NotComparable
from mlx_engine.measure.corpus.rendered_corpus import RenderedCorpus, render_probe
from mlx_engine.measure.results.convention import Convention

_Tokens = NDArray[np.int32]

_MAX_CHARACTERS = 2_000_000
"""Tokenized at once; WikiText-2 has 1.3 million."""


@dataclass(frozen=True, slots=True)
class TokenSample:
    """`tokens` has the shape (chunks, chunk_tokens); `kinds` has the kind of each chunk.

    `probe` holds the tokens of a short conversation, which differ for a model with other special tokens.
    """

    tokens: NDArray[np.int32]
    kinds: tuple[str, ...]
    convention: Convention
    probe: tuple[int, ...] = ()

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the tokens, the convention and the probe."""
        head = msgspec.json.encode((self.convention, self.probe))
        return hashlib.sha256(head + self.tokens.tobytes()).hexdigest()


def tokenize(corpus: RenderedCorpus, tokenizer: Any) -> TokenSample:
    """Return the chunks of `corpus`, without the incomplete chunk at the end of each kind.

    With a token limit, the kinds take turns until it is reached.

    Raises:
        BadCorpus: the texts are shorter than one chunk.
    """
    size = corpus.convention.chunk_tokens
    by_kind = {passage.kind: _chunks(passage.text, tokenizer, size) for passage in corpus.passages}
    limit = max(1, corpus.limit_tokens // size) if corpus.limit_tokens else None
    chunks = list(_round_robin(by_kind))[:limit]
    if not chunks:
        raise _too_short(corpus, tokenizer)
    # In the order of the corpus, so that results list the kinds in that order.
    order = list(by_kind)
    chunks.sort(key=lambda chunk: order.index(chunk[0]))
    tokens = np.array([tokens for _, tokens in chunks])
    probe = tuple(tokenizer.encode(corpus.probe, add_special_tokens=False))
    return TokenSample(tokens, tuple(kind for kind, _ in chunks), corpus.convention, probe)


def matching_sample(corpus: RenderedCorpus, tokenizer: Any, expected: str, name: str) -> TokenSample:
    """Tokenize `corpus` for the model `name` and require the fingerprint `expected`.

    Raises:
        NotComparable: its vocabulary or chat template differs.
    """
    sample = _sample_or_none(corpus, tokenizer)
    if sample is None or sample.fingerprint != expected:
        raise NotComparable(
            f"{name} splits the same text into other tokens than the original: its vocabulary is different, so the "
            "two cannot be compared."
        )
    if render_probe(tokenizer) != corpus.probe:
        raise NotComparable(
            f"{name} has a different chat template than the original, so its prompts would differ. Copy the "
            "original's chat_template.jinja into its folder, or measure another conversion."
        )
    return sample


def _sample_or_none(corpus: RenderedCorpus, tokenizer: Any) -> TokenSample | None:
    """Return None if this tokenizer makes less than one chunk of the text."""
    try:
        return tokenize(corpus, tokenizer)
    except BadCorpus:
        return None


def _too_short(corpus: RenderedCorpus, tokenizer: Any) -> BadCorpus:
    lengths = [len(_encoded(passage.text, tokenizer)) for passage in corpus.passages]
    length = f"{max(lengths)} tokens in its longest part" if len(lengths) > 1 else f"{sum(lengths)} tokens"
    return BadCorpus(
        f"{corpus.corpus} has {length}, but a chunk has {corpus.convention.chunk_tokens}. Use a longer text or "
        "shorter chunks."
    )


def _chunks(text: str, tokenizer: Any, size: int) -> _Tokens:
    """Return the tokens of a text, of the shape (chunks, `size`).

    As in llama.cpp: if the model expects a start token, it precedes the text and replaces the first token of every
    later chunk.
    """
    start = _start_token(tokenizer)
    head = np.array([] if start is None else [start], dtype=np.int32)
    stream = np.concatenate([head, *(_encoded(piece, tokenizer) for piece in _pieces(text))])
    chunks: _Tokens = stream[: len(stream) // size * size].reshape(-1, size)
    if start is not None:
        chunks[:, 0] = start
    return chunks


def _encoded(text: str, tokenizer: Any) -> _Tokens:
    return np.array(tokenizer.encode(text, add_special_tokens=False), dtype=np.int32)


def _pieces(text: str) -> Iterator[str]:
    """Split a very long text at line ends: a tokenizer needs about 150 bytes of memory per character."""
    at = 0
    while at < len(text):
        end = at + _MAX_CHARACTERS
        end = text.rfind("\n", at, end) + 1 or end if end < len(text) else len(text)
        yield text[at:end]
        at = end


def _round_robin(by_kind: dict[str, _Tokens]) -> Iterator[tuple[str, _Tokens]]:
    longest = max(map(len, by_kind.values()), default=0)
    for number in range(longest):
        yield from ((kind, chunks[number]) for kind, chunks in by_kind.items() if number < len(chunks))


def _start_token(tokenizer: Any) -> int | None:
    """Return the token that the model expects before any text, None if it expects none."""
    prefix: Sequence[int] = tokenizer.encode("")
    start = tokenizer.bos_token_id
    return start if start is not None and start in prefix else None
