"""What a reference model answers at each scored position, kept on disk: it runs once, and each candidate against that.

Kept are the most probable tokens, as many as it takes to leave at most `tail_mass` of probability out, with their
log-probabilities in 16 bits. The tail is represented by its true mass and by `SAMPLES` of its tokens, drawn with their
probability (systematically, in the order of probability, from a start that differs by position but is the same in
every run): what is reckoned over the tail is estimated without bias by their mean, and the error of that is known
(`comparison.py`). A `tail_mass` of 0 keeps the whole vocabulary.

A chunk is a file, put in place when it is whole, so that a run that was killed goes on where it was. Its checksum
covers the store's key and its number as well: a file that was changed, moved or cut counts as missing.
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
"""So many tokens are kept in any case: the choices that people look at."""

SAMPLES = 32
"""Tokens that stand for the tail of a position."""

STEP = 2.0**-11
"""Log-probabilities are kept in multiples of this, from 0 down to -32 in 16 bits: finer than float16 below -1."""

_LEAST = -STEP * (2**16 - 1)
"""What has less, as a token has that a network rules out, counts as impossible."""

_checksum_bytes = 32
"""At the beginning of each file."""


@dataclass(frozen=True, slots=True)
class ReferenceChunk:
    """The answers over one chunk, P scored positions, as numpy arrays.

    `ids` and `steps` hold the kept tokens of all positions one after the other, the most probable first; `counts` (P,)
    says how many of them are whose. `steps` times -`STEP` are log-probabilities. `tail_ids` and `tail_steps`
    (P, `SAMPLES`) stand for the tail; `tail_mass` and `true_log_probability` are (P,).
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
    """Run `network` over one chunk and return what is kept of its predictions."""
    following = mx.array(true_tokens(tokens, convention.first_scored))[:, None]
    starts = np.random.default_rng(tokens.tolist()).random(len(following))
    parts = [
        _kept(rows, following[place], starts[place], tail_mass)
        for place, rows in by_rows(logits(network, tokens, convention.first_scored, cache=cache))
    ]
    return ReferenceChunk(tokens, *(np.concatenate(part) for part in zip(*parts, strict=True)))


def _kept(
    rows: mx.array, following: mx.array, starts: NDArray[np.float64], tail_mass: float
) -> tuple[NDArray[Any], ...]:
    """Return what a `ReferenceChunk` has of some positions, beginning with `counts`; `following` is (P, 1)."""
    order = mx.argsort(-rows, axis=-1)
    total = log_sums(rows)
    ranked = mx.take_along_axis(rows, order, axis=-1) - total
    # Summed from the least probable on, since small numbers vanish beside large ones. [i] is the mass from i on.
    mass = np.array(mx.cumsum(mx.exp(ranked), axis=-1, reverse=True))
    counts = (mass > tail_mass if tail_mass else np.array(ranked) > _LEAST).sum(axis=-1)
    counts = np.maximum(counts, TOP)
    is_kept = np.arange(counts.max())[None] < counts[:, None]
    places, tail = _samples(mass, counts, starts)
    ids, steps = np.array(order).astype(np.uint32), _steps(np.array(ranked))
    return (
        counts.astype(np.uint32),
        ids[:, : counts.max()][is_kept],
        steps[:, : counts.max()][is_kept],
        np.take_along_axis(ids, places, axis=-1),
        np.take_along_axis(steps, places, axis=-1),
        tail.astype(np.float32),
        np.array(mx.take_along_axis(rows, following, axis=-1) - total)[:, 0],
    )


def _samples(
    mass: NDArray[np.float32], counts: NDArray[np.int64], starts: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the ranks (P, `SAMPLES`) of tokens that stand for the tail beyond `counts`, and its mass (P,)."""
    padded = np.pad(mass.astype(np.float64), ((0, 0), (0, 1)))
    tail = np.take_along_axis(padded, counts[:, None], axis=-1)[:, 0]
    wanted = tail[:, None] * (np.arange(SAMPLES) + starts[:, None]) / SAMPLES
    # [::-1] is ascending; as many tokens as have at least the wanted mass from themselves on, the last of them is it.
    places = [len(row) - 1 - np.searchsorted(row[::-1], want) for row, want in zip(mass, wanted, strict=True)]
    return np.clip(places, 0, mass.shape[1] - 1), tail


def _steps(log_probabilities: NDArray[np.float32]) -> NDArray[np.uint16]:
    steps: NDArray[np.uint16] = np.clip(np.rint(log_probabilities / -STEP), 0, 2**16 - 1).astype(np.uint16)
    return steps


class ReferenceStore:
    """The kept answers in `folder`."""

    def __init__(self, folder: Path, header: ReferenceHeader) -> None:
        self.folder = folder
        self.header = header

    @classmethod
    def create(cls, root: Path, header: ReferenceHeader, reading: RenderedCorpus) -> "ReferenceStore":
        """Return the store of that key below `root`, made if it is not there; `reading` is kept with the answers.

        Raises:
            StorageError: it cannot be written.
        """
        content = msgspec.json.encode(reading)
        header = msgspec.structs.replace(header, reading=_sha256(content))
        folder = root / header.key
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / "reading.json", content)
            write_whole(folder / "reference.json", msgspec.json.format(msgspec.json.encode(header), indent=2))
        return cls(folder, header)

    @classmethod
    def open(cls, folder: Path) -> "ReferenceStore":
        """Return the store in `folder`.

        Raises:
            StorageError: it is gone or damaged, or another version of Facet has written it.
        """
        if not folder.is_dir():
            raise StorageError(
                f"The kept answers in {folder} are not there any more. Measure again, so that the original reads the "
                "text anew."
            )
        if (header := read_header(folder)) is None:
            raise StorageError(
                f"The kept answers in {folder} are damaged, or another version of Facet has written them: this one "
                f"reads version {FORMAT}. Measure again, so that the original reads the text anew."
            )
        with storage_errors(folder):
            os.utime(folder / "reference.json")  # By its time one sees when they were last used.
        return cls(folder, header)

    @property
    def reading(self) -> RenderedCorpus:
        """What the reference has read.

        Raises:
            StorageError: it is damaged.
        """
        file = self.folder / "reading.json"
        words = read_value(file, RenderedCorpus)
        with storage_errors(file):
            if words is None or _sha256(file.read_bytes()) != self.header.reading:
                raise StorageError(f"The text in {file} is damaged. Measure again, so that the original reads it anew.")
        return words

    @property
    def missing(self) -> Iterator[int]:
        """The numbers of the chunks that are not there yet, or damaged."""
        return (number for number in range(len(self.header.kinds)) if self._chunk(number) is None)

    @property
    def is_whole(self) -> bool:
        return next(self.missing, None) is None

    @property
    def size_bytes(self) -> int:
        return folder_size(self.folder)

    @property
    def least_bytes(self) -> int:
        """What the whole store takes at least; of a `tail_mass` of 0, what it takes."""
        header = self.header
        kept = SAMPLES + (TOP if header.tail_mass else header.vocabulary)
        return header.scored_positions * kept * (2 + self._id_type(header.vocabulary - 1).itemsize)

    def write(self, number: int, chunk: ReferenceChunk) -> None:
        """Keep the answers over one chunk.

        Raises:
            StorageError: they cannot be written.
        """
        arrays = {name: getattr(chunk, name) for name in ReferenceChunk.__slots__}
        width = self._id_type(max(chunk.ids.max(), chunk.tail_ids.max()))
        arrays |= {name: arrays[name].astype(width) for name in ("ids", "tail_ids")}
        layout = [(name, array.dtype.str, array.shape) for name, array in arrays.items()]
        content = b"".join(np.ascontiguousarray(array).tobytes() for array in arrays.values())
        content = msgspec.json.encode(layout) + b"\n" + content
        file = self._file(number)
        left = sum(not self._file(other).exists() for other in range(len(self.header.kinds)))
        with storage_errors(file, needed_bytes=left * len(content)):
            write_whole(file, self._checksum(number, content) + content)

    def read(self, number: int) -> ReferenceChunk:
        """Return the answers over one chunk.

        Raises:
            StorageError: the file is missing or damaged.
        """
        if (content := self._chunk(number)) is None:
            raise StorageError(
                f"Chunk {number + 1} of the kept answers in {self.folder} is damaged or not there any more. Measure "
                "again, so that the original reads it anew."
            )
        head, _, content = content.partition(b"\n")
        arrays, at = {}, 0
        for name, dtype, shape in msgspec.json.decode(head, type=list[tuple[str, str, tuple[int, ...]]]):
            arrays[name] = np.frombuffer(content, dtype, math.prod(shape), at).reshape(shape)
            at += arrays[name].nbytes
        wide = {name: arrays[name].astype(np.uint32) for name in ("ids", "tail_ids")}
        return ReferenceChunk(**(arrays | wide))

    def _chunk(self, number: int) -> bytes | None:
        """Return what is kept of a chunk, None if it is not there or not what was written."""
        try:
            content = self._file(number).read_bytes()
        except OSError:
            return None
        checksum, content = content[:_checksum_bytes], content[_checksum_bytes:]
        return content if checksum == self._checksum(number, content) else None

    def _checksum(self, number: int, content: bytes) -> bytes:
        """Return a SHA-256 of the content and of where it belongs."""
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
    """Answer all chunks that `store` has not got yet; yield how many it has."""
    missing = list(store.missing)
    header = store.header
    for done, number in enumerate(missing, len(sample.tokens) - len(missing) + 1):
        # With a cache, as in a chat: without one, layers that share keys are another network (mlx-lm 0.32.2, gemma3n).
        cache = make_prompt_cache(network)
        tokens = sample.tokens[number]
        store.write(number, predict_chunk(network, tokens, header.convention, header.tail_mass, cache=cache))
        yield done
