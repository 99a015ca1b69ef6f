"""Records a reference model's predictions at each scored position on disk, for comparison with every candidate.

The head of each prediction is stored: the most likely tokens, as many as are needed to leave at most `tail_mass` of
probability for the rest, with their log-probabilities in 16 bits. The tail is represented by its exact mass and by
`SAMPLES` of its tokens, drawn in proportion to their probability by systematic sampling, most likely first. The
random start differs by position but is the same in every run. The mean over the samples is an unbiased estimate for the
tail, with a known error (`comparison.py`). A `tail_mass` of 0 stores the whole vocabulary.

Each chunk is a file, written atomically, so that a killed run resumes where it stopped. Its checksum also covers the
key of the store and the number of the chunk: a file that was modified, moved or truncated counts as missing.
"""

import hashlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import msgspec
import numpy as np
from mlx_lm.models.cache import make_prompt_cache
from numpy.typing import NDArray

from mlx_engine.errors import StorageError
from mlx_engine.measure.corpus.rendered_corpus import RenderedCorpus
from mlx_engine.measure.corpus.sample import TokenSample
from mlx_engine.measure.mlx.forward import by_rows, log_sums, logits, true_tokens
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.header import FORMAT, ReferenceHeader
from mlx_engine.measure.results.references import folder_size, read_header
from mlx_engine.models.files.json_value import read_value
from mlx_engine.models.files.staging import storage_errors, write_whole

TOP = 5
"""Minimum number of stored tokens: those that are displayed."""

SAMPLES = 32
"""Sampled tokens for the tail of each position."""

STEP = 2.0**-11
"""Log-probabilities are multiples of this, from 0 to -32 in 16 bits: finer than float16 below -1."""

_MIN_LOG_PROBABILITY = -STEP * (2**16 - 1)
"""Tokens with a lower log-probability count as impossible."""

_CHECKSUM_BYTES = 32
"""Length of the checksum at the start of each file."""


@dataclass(frozen=True, slots=True)
class ReferenceChunk:
    """The predictions over one chunk of P scored positions.

    `ids` and `steps` hold the head of each position in turn, most likely token first; `counts` (P,) has the length of
    each head. `steps` times -`STEP` are log-probabilities. `tail_ids` and `tail_steps` (P, `SAMPLES`) are the samples
    of the tail; `tail_mass` and `true_log_probability` are (P,).
    """

    tokens: NDArray[np.int32]
    counts: NDArray[np.uint32]
    ids: NDArray[np.uint32]
    steps: NDArray[np.uint16]
    tail_ids: NDArray[np.uint32]
    tail_steps: NDArray[np.uint16]
    tail_mass: NDArray[np.float32]
    true_log_probability: NDArray[np.float32]


def predict_chunk(
    network: Any, tokens: NDArray[np.int32], convention: Convention, tail_mass: float, *, cache: Any = None
) -> ReferenceChunk:
    """Run `network` over one chunk and return its predictions."""
    next_tokens = mx.array(true_tokens(tokens, convention.first_scored))[:, None]
    starts = np.random.default_rng(tokens.tolist()).random(len(next_tokens))
    parts = [
        _head_and_tail(rows, next_tokens[at], starts[at], tail_mass)
        for at, rows in by_rows(logits(network, tokens, convention.first_scored, cache=cache))
    ]
    return ReferenceChunk(tokens, *(np.concatenate(part) for part in zip(*parts, strict=True)))


def _head_and_tail(
    rows: mx.array, next_tokens: mx.array, starts: NDArray[np.float64], tail_mass: float
) -> tuple[NDArray[Any], ...]:
    """Return the fields of a `ReferenceChunk`, starting with `counts`, for some positions; `next_tokens` is (P, 1)."""
    order = mx.argsort(-rows, axis=-1)
    total = log_sums(rows)
    ranked = mx.take_along_axis(rows, order, axis=-1) - total
    # Summed starting with the least likely token: small numbers are lost when added to large ones. mass[i] covers ranks
    # i and up.
    mass = np.array(mx.cumsum(mx.exp(ranked), axis=-1, reverse=True))
    counts = (mass > tail_mass if tail_mass else np.array(ranked) > _MIN_LOG_PROBABILITY).sum(axis=-1)
    counts = np.maximum(counts, TOP)
    in_head = np.arange(counts.max())[None] < counts[:, None]
    ranks, tail = _samples(mass, counts, starts)
    ids, steps = np.array(order).astype(np.uint32), _steps(np.array(ranked))
    return (
        counts.astype(np.uint32),
        ids[:, : counts.max()][in_head],
        steps[:, : counts.max()][in_head],
        np.take_along_axis(ids, ranks, axis=-1),
        np.take_along_axis(steps, ranks, axis=-1),
        tail.astype(np.float32),
        np.array(mx.take_along_axis(rows, next_tokens, axis=-1) - total)[:, 0],
    )


def _samples(
    mass: NDArray[np.float32], counts: NDArray[np.int64], starts: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the ranks (P, `SAMPLES`) of tokens sampled from the tail, which starts at `counts`, and its mass (P,)."""
    padded = np.pad(mass.astype(np.float64), ((0, 0), (0, 1)))
    tail = np.take_along_axis(padded, counts[:, None], axis=-1)[:, 0]
    targets = tail[:, None] * (np.arange(SAMPLES) + starts[:, None]) / SAMPLES
    # The sample is the last rank whose remaining mass is at least the target; [::-1] is ascending.
    ranks = [len(row) - 1 - np.searchsorted(row[::-1], target) for row, target in zip(mass, targets, strict=True)]
    return np.clip(ranks, 0, mass.shape[1] - 1), tail


def _steps(log_probabilities: NDArray[np.float32]) -> NDArray[np.uint16]:
    steps: NDArray[np.uint16] = np.clip(np.rint(log_probabilities / -STEP), 0, 2**16 - 1).astype(np.uint16)
    return steps


class ReferenceStore:
    """The stored predictions in `folder`."""

    def __init__(self, folder: Path, header: ReferenceHeader) -> None:
        self.folder = folder
        self.header = header

    @classmethod
    def create(cls, root: Path, header: ReferenceHeader, corpus: RenderedCorpus) -> "ReferenceStore":
        """Return the store with this header below `root`, created if it does not exist, with `corpus` in it.

        Raises:
            StorageError: it cannot be written.
        """
        content = msgspec.json.encode(corpus)
        header = msgspec.structs.replace(header, corpus_sha256=_sha256(content))
        folder = root / header.key
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / "corpus.json", content)
            write_whole(folder / "reference.json", msgspec.json.format(msgspec.json.encode(header), indent=2))
        return cls(folder, header)

    @classmethod
    def open(cls, folder: Path) -> "ReferenceStore":
        """Return the store in `folder`.

        Raises:
            StorageError: it is missing, damaged, or from another version of Facet.
        """
        if not folder.is_dir():
            raise StorageError(f"The stored predictions in {folder} were deleted. Run the measurement again.")
        if (header := read_header(folder)) is None:
            raise StorageError(
                f"The stored predictions in {folder} are damaged or from another version of Facet (this one reads "
                f"format {FORMAT}). Run the measurement again."
            )
        with storage_errors(folder):
            os.utime(folder / "reference.json")  # The modification time records the last use.
        return cls(folder, header)

    @property
    def corpus(self) -> RenderedCorpus:
        """The text that the reference was evaluated on.

        Raises:
            StorageError: it is damaged.
        """
        file = self.folder / "corpus.json"
        corpus = read_value(file, RenderedCorpus)
        with storage_errors(file):
            if corpus is None or _sha256(file.read_bytes()) != self.header.corpus_sha256:
                raise StorageError(f"The text in {file} is damaged. Run the measurement again.")
        return corpus

    @property
    def missing(self) -> Iterator[int]:
        """Numbers of the chunks that are missing or damaged."""
        return (number for number in range(len(self.header.kinds)) if self._chunk(number) is None)

    @property
    def is_complete(self) -> bool:
        return next(self.missing, None) is None

    @property
    def size_bytes(self) -> int:
        return folder_size(self.folder)

    @property
    def min_bytes(self) -> int:
        """Lower bound for the size of the complete store; exact for a `tail_mass` of 0."""
        header = self.header
        tokens = SAMPLES + (TOP if header.tail_mass else header.vocabulary)
        return header.scored_positions * tokens * (2 + self._id_type(header.vocabulary - 1).itemsize)

    def write(self, number: int, chunk: ReferenceChunk) -> None:
        """Write the predictions over one chunk.

        Raises:
            StorageError: the file cannot be written.
        """
        arrays = {name: getattr(chunk, name) for name in ReferenceChunk.__slots__}
        id_type = self._id_type(max(chunk.ids.max(), chunk.tail_ids.max()))
        arrays |= {name: arrays[name].astype(id_type) for name in ("ids", "tail_ids")}
        layout = [(name, array.dtype.str, array.shape) for name, array in arrays.items()]
        content = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
        content = msgspec.json.encode(layout) + b"\n" + content
        file = self._file(number)
        missing = sum(not self._file(other).exists() for other in range(len(self.header.kinds)))
        with storage_errors(file, needed_bytes=missing * len(content)):
            write_whole(file, self._checksum(number, content) + content)

    def read(self, number: int) -> ReferenceChunk:
        """Return the predictions over one chunk.

        Raises:
            StorageError: the file is missing or damaged.
        """
        if (content := self._chunk(number)) is None:
            raise StorageError(
                f"Chunk {number + 1} of the stored predictions in {self.folder} is missing or damaged. Run the "
                "measurement again."
            )
        head, _, content = content.partition(b"\n")
        arrays, at = {}, 0
        for name, dtype, shape in msgspec.json.decode(head, type=list[tuple[str, str, tuple[int, ...]]]):
            arrays[name] = np.frombuffer(content, dtype, math.prod(shape), at).reshape(shape)
            at += arrays[name].nbytes
        ids = {name: arrays[name].astype(np.uint32) for name in ("ids", "tail_ids")}
        return ReferenceChunk(**(arrays | ids))

    def _chunk(self, number: int) -> bytes | None:
        """Return the content of a chunk, None if it is missing or damaged."""
        try:
            content = self._file(number).read_bytes()
        except OSError:
            return None
        checksum, content = content[:_CHECKSUM_BYTES], content[_CHECKSUM_BYTES:]
        return content if checksum == self._checksum(number, content) else None

    def _checksum(self, number: int, content: bytes) -> bytes:
        """Return the SHA-256 of the key, the number and the content."""
        checksum = hashlib.sha256(f"{self.header.key} {number}\n".encode())
        checksum.update(content)
        return checksum.digest()

    def _file(self, number: int) -> Path:
        return self.folder / f"chunk-{number:05}"

    @staticmethod
    def _id_type(largest: int) -> np.dtype[Any]:
        return np.dtype(np.uint16 if largest < 2**16 else np.uint32)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def run_reference(network: Any, sample: TokenSample, store: ReferenceStore) -> Iterator[int]:
    """Record the chunks missing in `store`; after each, yield the number of recorded chunks."""
    missing = list(store.missing)
    header = store.header
    for done, number in enumerate(missing, len(sample.tokens) - len(missing) + 1):
        # With a cache, as in a chat: without one, layers with shared keys behave differently (mlx-lm 0.32.2, gemma3n).
        cache = make_prompt_cache(network)
        tokens = sample.tokens[number]
        store.write(number, predict_chunk(network, tokens, header.convention, header.tail_mass, cache=cache))
        yield done
