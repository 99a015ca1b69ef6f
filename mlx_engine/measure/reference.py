"""What a reference model answers at each scored position, kept on disk: it runs once, and each candidate against that.

Kept are the most probable tokens, as many as it takes to leave at most `tail_mass` of probability out, with their
log-probabilities in 16 bits; of the tail, its true mass and entropy. By these, the error that leaving it out brings
into a KL divergence is bounded (`comparison.py`). A `tail_mass` of 0 keeps the whole vocabulary.

A chunk is a file, put in place when it is whole, so that a run that was killed goes on where it was.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import msgspec
import numpy as np
from numpy.typing import NDArray

from mlx_engine.errors import StorageError
from mlx_engine.measure.convention import Convention
from mlx_engine.measure.forward import by_rows, logits, true_tokens
from mlx_engine.measure.header import FORMAT, Header
from mlx_engine.measure.reading import Reading
from mlx_engine.measure.sample import Sample
from mlx_engine.models.staging import storage_errors

TOP = 5
"""So many tokens are kept in any case: the choices that people look at."""


@dataclass(frozen=True, slots=True)
class ReferenceChunk:
    """The answers over one chunk, P scored positions, as numpy arrays.

    `ids` and `log_probabilities` hold the kept tokens of all positions one after the other, the most probable first;
    `counts` (P,) says how many of them are whose. `tail_mass`, `tail_entropy` and `true_log_probability` are (P,).
    """

    tokens: NDArray[np.int32]
    counts: NDArray[np.uint32]
    ids: NDArray[np.uint32]
    log_probabilities: NDArray[np.float16]
    tail_mass: NDArray[np.float32]
    tail_entropy: NDArray[np.float32]
    true_log_probability: NDArray[np.float32]


def answers(network: Any, tokens: NDArray[np.int32], convention: Convention, tail_mass: float) -> ReferenceChunk:
    """Run `network` over one chunk and return what is kept of its predictions."""
    following = mx.array(true_tokens(tokens, convention.first_scored))[:, None]
    parts = [
        _kept(rows, following[place], tail_mass)
        for place, rows in by_rows(logits(network, tokens, convention.first_scored))
    ]
    counts, ids, kept, mass, entropy, true = (np.concatenate(part) for part in zip(*parts, strict=True))
    return ReferenceChunk(tokens, counts, ids, kept, mass, entropy, true)


def _kept(rows: mx.array, following: mx.array, tail_mass: float) -> tuple[NDArray[Any], ...]:
    """Return counts, ids, log-probabilities, the tail's mass and entropy, and what is given to `following` (P, 1)."""
    order = mx.argsort(-rows, axis=-1)
    total = mx.logsumexp(rows, axis=-1, keepdims=True)
    ranked = mx.take_along_axis(rows, order, axis=-1) - total
    probability = mx.exp(ranked)
    # Summed from the least probable on, since small numbers vanish beside large ones. [i] is the mass from i on.
    mass = mx.cumsum(probability, axis=-1, reverse=True)
    counts = mx.sum(mass > tail_mass, axis=-1) if tail_mass else mx.full(len(ranked), ranked.shape[1])
    counts = mx.maximum(counts, TOP)
    is_kept = mx.arange(ranked.shape[1])[None] < counts[:, None]
    tail = mx.sum(mx.where(is_kept, 0, probability), axis=-1)
    terms = mx.where(is_kept | (probability == 0), 0, -probability * ranked)
    true = (mx.take_along_axis(rows, following, axis=-1) - total)[:, 0]
    most = int(np.array(counts).max())
    chosen = np.array(is_kept[:, :most])
    return (
        np.array(counts).astype(np.uint32),
        np.array(order[:, :most]).astype(np.uint32)[chosen],
        np.array(ranked[:, :most].astype(mx.float16))[chosen],
        np.array(tail),
        np.array(mx.sum(terms, axis=-1)),
        np.array(true),
    )


class ReferenceStore:
    """The kept answers in `folder`."""

    def __init__(self, folder: Path, header: Header) -> None:
        self.folder = folder
        self.header = header

    @classmethod
    def create(cls, root: Path, header: Header, reading: Reading) -> "ReferenceStore":
        """Return the store of that key below `root`, made if it is not there; `reading` is kept with the answers.

        Raises:
            StorageError: it cannot be written.
        """
        folder = root / header.key
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _replace(folder / "reading.json", msgspec.json.encode(reading))
            _replace(folder / "reference.json", msgspec.json.format(msgspec.json.encode(header), indent=2))
        return cls(folder, header)

    @classmethod
    def open(cls, folder: Path) -> "ReferenceStore":
        """Return the store in `folder`.

        Raises:
            StorageError: it is damaged, or another version of Facet has written it.
        """
        try:
            content = (folder / "reference.json").read_bytes()
            header = msgspec.json.decode(content, type=Header)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StorageError(f"The kept answers in {folder} are damaged. Delete them and measure again.") from error
        if header.format != FORMAT:
            raise StorageError(
                f"The kept answers in {folder} are of version {header.format}; this Facet reads version {FORMAT}. "
                "Delete them and measure again."
            )
        return cls(folder, header)

    @property
    def reading(self) -> Reading:
        """What the reference has read.

        Raises:
            StorageError: it is damaged.
        """
        try:
            return msgspec.json.decode((self.folder / "reading.json").read_bytes(), type=Reading)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StorageError(
                f"The kept answers in {self.folder} are damaged. Delete them and measure again."
            ) from error

    @property
    def missing(self) -> Iterator[int]:
        """The numbers of the chunks that are not there yet."""
        return (number for number in range(len(self.header.kinds)) if not self._file(number).exists())

    @property
    def is_whole(self) -> bool:
        return next(self.missing, None) is None

    @property
    def size_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.folder.iterdir())

    def write(self, number: int, chunk: ReferenceChunk) -> None:
        """Keep the answers over one chunk.

        Raises:
            StorageError: they cannot be written.
        """
        ids = chunk.ids.astype(np.uint16) if chunk.ids.max(initial=0) < 2**16 else chunk.ids
        arrays = {
            "tokens": chunk.tokens,
            "counts": chunk.counts,
            "ids": ids,
            "log_probabilities": chunk.log_probabilities,
            "tail_mass": chunk.tail_mass,
            "tail_entropy": chunk.tail_entropy,
            "true_log_probability": chunk.true_log_probability,
        }
        content = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
        layout = [(name, array.dtype.str, array.size) for name, array in arrays.items()]
        head = msgspec.json.encode({"layout": layout, "sha256": hashlib.sha256(content).hexdigest()})
        with storage_errors(self.folder):
            _replace(self._file(number), head + b"\n" + content)

    def read(self, number: int) -> ReferenceChunk:
        """Return the answers over one chunk.

        Raises:
            StorageError: the file is missing or damaged.
        """
        try:
            head, _, content = self._file(number).read_bytes().partition(b"\n")
            said = msgspec.json.decode(head, type=_ChunkHead)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._damaged(number) from error
        if hashlib.sha256(content).hexdigest() != said.sha256:
            raise self._damaged(number)
        arrays, at = {}, 0
        for name, dtype, size in said.layout:
            arrays[name] = np.frombuffer(content, dtype, size, at)
            at += arrays[name].nbytes
        return ReferenceChunk(**{**arrays, "ids": arrays["ids"].astype(np.uint32)})

    def _file(self, number: int) -> Path:
        return self.folder / f"chunk-{number:05}"

    def _damaged(self, number: int) -> StorageError:
        return StorageError(
            f"Chunk {number + 1} of the kept answers in {self.folder} is damaged. Delete them and measure again."
        )


class _ChunkHead(msgspec.Struct, frozen=True):
    layout: list[tuple[str, str, int]]
    sha256: str


def _replace(file: Path, content: bytes) -> None:
    partial = file.with_name(f"{file.name}.partial")
    partial.write_bytes(content)
    partial.replace(file)


def run_reference(network: Any, sample: Sample, store: ReferenceStore) -> Iterator[int]:
    """Answer all chunks that `store` has not got yet; yield how many it has."""
    there = len(sample.tokens) - sum(1 for _ in store.missing)
    for number in list(store.missing):
        header = store.header
        store.write(number, answers(network, sample.tokens[number], header.convention, header.tail_mass))
        there += 1
        yield there
