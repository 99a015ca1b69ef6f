"""From words to the tokens that every model of a comparison reads: the same ones, made once."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import BadCorpus, NotComparable
from mlx_engine.measure.corpus.reading import Reading, probe
from mlx_engine.measure.results.convention import Convention

_Tokens = NDArray[np.int32]

_MOST_CHARACTERS = 2_000_000
"""Of a text that is given to the tokenizer at once; WikiText-2's has 1.3 million."""


@dataclass(frozen=True, slots=True)
class Sample:
    """`tokens` has the shape (chunks, chunk_tokens); `kinds` says of which kind each chunk is.

    `probe` are the tokens of a conversation, which a model with other special tokens would read differently.
    """

    tokens: NDArray[np.int32]
    kinds: tuple[str, ...]
    convention: Convention
    probe: tuple[int, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A SHA-256 of the tokens and of how they are read."""
        head = msgspec.json.encode((self.convention, self.probe))
        return hashlib.sha256(head + self.tokens.tobytes()).hexdigest()


def sample(reading: Reading, tokenizer: Any) -> Sample:
    """Return the chunks of `reading`. What is left over at the end of a kind is dropped.

    Where not all chunks are wanted, the kinds take turns.

    Raises:
        BadCorpus: the texts are shorter than a chunk.
    """
    size = reading.convention.chunk_tokens
    chunks = {passage.kind: _chunks(passage.text, tokenizer, size) for passage in reading.passages}
    wanted = max(1, reading.limit_tokens // size) if reading.limit_tokens else None
    chosen = list(_in_turns(chunks))[:wanted]
    if not chosen:
        raise _too_short(reading, tokenizer)
    # In the order of the corpus, so that results read like it.
    order = list(chunks)
    chosen.sort(key=lambda chunk: order.index(chunk[0]))
    tokens = np.array([tokens for _, tokens in chosen])
    probed = tuple(tokenizer.encode(reading.probe, add_special_tokens=False))
    return Sample(tokens, tuple(kind for kind, _ in chosen), reading.convention, probed)


def same_sample(reading: Reading, tokenizer: Any, expected: str, name: str) -> Sample:
    """Return what the model called `name` reads, which has to be the sample with the fingerprint `expected`.

    Raises:
        NotComparable: its vocabulary or its template differs.
    """
    own = _sample_or_none(reading, tokenizer)
    if own is None or own.fingerprint != expected:
        raise NotComparable(
            f"{name} splits the same text into other tokens than the original: it has another vocabulary, and cannot "
            "be measured against it."
        )
    if probe(tokenizer) != reading.probe:
        raise NotComparable(
            f"{name} has another chat template than the original: what it is asked would differ. Copy the original's "
            "chat_template.jinja into its folder, or measure another conversion."
        )
    return own


def _sample_or_none(reading: Reading, tokenizer: Any) -> Sample | None:
    """Return None where another tokenizer makes less than a chunk of the text."""
    try:
        return sample(reading, tokenizer)
    except BadCorpus:
        return None


def _too_short(reading: Reading, tokenizer: Any) -> BadCorpus:
    lengths = [len(_encoded(passage.text, tokenizer)) for passage in reading.passages]
    where = f"{max(lengths)} tokens in its longest part" if len(lengths) > 1 else f"{sum(lengths)} tokens"
    return BadCorpus(
        f"{reading.corpus} has {where}, but a chunk has {reading.convention.chunk_tokens}. Give a longer text, or "
        "shorter chunks."
    )


def _chunks(text: str, tokenizer: Any, size: int) -> _Tokens:
    """Return the tokens of a text, of the shape (chunks, `size`).

    As llama.cpp does: a model that expects a token at the start finds it before the text, and in the place of the first
    one of each later chunk.
    """
    start = _start_token(tokenizer)
    begin = np.array([] if start is None else [start], dtype=np.int32)
    stream = np.concatenate([begin, *(_encoded(piece, tokenizer) for piece in _pieces(text))])
    chunks: _Tokens = stream[: len(stream) // size * size].reshape(-1, size)
    if start is not None:
        chunks[:, 0] = start
    return chunks


def _encoded(text: str, tokenizer: Any) -> _Tokens:
    return np.array(tokenizer.encode(text, add_special_tokens=False), dtype=np.int32)


def _pieces(text: str) -> Iterator[str]:
    """Cut a text that is very long after ends of lines: a tokenizer takes 150 bytes of memory a character."""
    at = 0
    while at < len(text):
        end = at + _MOST_CHARACTERS
        end = text.rfind("\n", at, end) + 1 or end if end < len(text) else len(text)
        yield text[at:end]
        at = end


def _in_turns(chunks: dict[str, _Tokens]) -> Iterator[tuple[str, _Tokens]]:
    longest = max(map(len, chunks.values()), default=0)
    for number in range(longest):
        yield from ((kind, own[number]) for kind, own in chunks.items() if number < len(own))


def _start_token(tokenizer: Any) -> int | None:
    """Return the token that the model expects before any text, if it expects one."""
    begins: Sequence[int] = tokenizer.encode("")
    own = tokenizer.bos_token_id
    return own if own is not None and own in begins else None
