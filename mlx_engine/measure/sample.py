"""From words to the tokens that every model of a comparison reads: the same ones, made once."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import BadCorpus
from mlx_engine.measure.convention import Convention
from mlx_engine.measure.reading import Reading, probe


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
        raise BadCorpus(
            f"{reading.corpus} is shorter than one chunk of {size} tokens. Give a longer text, or shorter chunks."
        )
    # In the order of the corpus, so that results read like it.
    order = list(chunks)
    chosen.sort(key=lambda chunk: order.index(chunk[0]))
    tokens = np.array([tokens for _, tokens in chosen], dtype=np.int32)
    probed = tuple(tokenizer.encode(reading.probe, add_special_tokens=False))
    return Sample(tokens, tuple(kind for kind, _ in chosen), reading.convention, probed)


def same_sample(reading: Reading, tokenizer: Any, expected: str, name: str) -> Sample:
    """Return what the model called `name` reads, which has to be the sample with the fingerprint `expected`.

    Raises:
        BadCorpus: its vocabulary or its template differs.
    """
    own = sample(reading, tokenizer)
    if own.fingerprint != expected:
        raise BadCorpus(
            f"{name} splits the same text into other tokens than the original: it has another vocabulary, and cannot "
            "be measured against it."
        )
    if probe(tokenizer) != reading.probe:
        raise BadCorpus(
            f"{name} has another chat template than the original: what it is asked would differ. Copy the original's "
            "chat_template.jinja into its folder, or measure another conversion."
        )
    return own


def _chunks(text: str, tokenizer: Any, size: int) -> list[list[int]]:
    stream = tokenizer.encode(text, add_special_tokens=False)
    chunks = [stream[at : at + size] for at in range(0, len(stream) - size + 1, size)]
    start = _start_token(tokenizer)
    # As llama.cpp does: a model that expects a token at the start finds it in the place of the first one.
    return [[start, *chunk[1:]] for chunk in chunks] if start is not None else chunks


def _in_turns(chunks: dict[str, list[list[int]]]) -> Iterator[tuple[str, list[int]]]:
    longest = max(map(len, chunks.values()), default=0)
    for number in range(longest):
        yield from ((kind, own[number]) for kind, own in chunks.items() if number < len(own))


def _start_token(tokenizer: Any) -> int | None:
    """Return the token that the model expects before any text, if it expects one."""
    begins: Sequence[int] = tokenizer.encode("")
    own = tokenizer.bos_token_id
    return own if own is not None and own in begins else None
