"""Measures fidelity with one model in memory at a time: first the reference's answers are kept, then each candidate is
held against them. Both are iterators of progress that can be closed, and taken up again.
"""

import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from mlx_engine.errors import BadCorpus
from mlx_engine.inference.layers import Layers
from mlx_engine.inference.load import Model, device_name, open_model
from mlx_engine.measure.comparison import compare
from mlx_engine.measure.convention import Convention
from mlx_engine.measure.corpus import Corpus
from mlx_engine.measure.fidelity import by_kind, fidelity, kl_counts, worst_positions
from mlx_engine.measure.header import Header
from mlx_engine.measure.positions import Positions
from mlx_engine.measure.reading import reading
from mlx_engine.measure.reference import ReferenceStore, run_reference
from mlx_engine.measure.results import Choice, Divergence, Fidelity, FidelityResult, keep_fidelity
from mlx_engine.measure.sample import Sample, same_sample, sample
from mlx_engine.models import provenance
from mlx_engine.models.fingerprint import fingerprint
from mlx_engine.models.staging import storage_errors
from mlx_engine.protocol import CacheBits

_words_before = 40
"""Tokens of context that are shown with a divergence."""


@dataclass(frozen=True, slots=True)
class AnswersProgress:
    """How many chunks of `store` the reference has answered."""

    done: int
    total: int
    store: ReferenceStore


@dataclass(frozen=True, slots=True)
class FidelityProgress:
    """How many chunks the candidate has been held against, and what they say so far."""

    done: int
    total: int
    so_far: Fidelity
    result: FidelityResult | None = None
    """The whole, with the last chunk."""


def keep_answers(
    model: Path,
    corpus: Corpus,
    root: Path,
    *,
    convention: Convention,
    limit_tokens: int,
    tail_mass: float,
) -> Iterator[AnswersProgress]:
    """Let the model in the folder `model` answer `corpus`, and keep what it says below `root`.

    The first progress says what is there already. Nothing is run when all is.

    Raises:
        BadCorpus: the texts are shorter than a chunk.
        ModelError, OutOfMemory: the model cannot be opened, or does not fit.
        StorageError: the answers cannot be kept.
    """
    opened = open_model(model)
    words = reading(corpus, opened.tokenizer, convention, limit_tokens=limit_tokens)
    tokens = sample(words, opened.tokenizer)
    header = Header(
        model=opened.name,
        weights=fingerprint(model),
        corpus=corpus.name,
        sample=tokens.fingerprint,
        convention=convention,
        kinds=tokens.kinds,
        vocabulary=opened.vocabulary_size,
        tail_mass=tail_mass,
        created=provenance.now(),
    )
    store = ReferenceStore.create(root, header, words)
    missing, total = sum(1 for _ in store.missing), len(tokens.kinds)
    yield AnswersProgress(total - missing, total, store)
    if missing:
        _read(opened)
        for done in run_reference(opened.network, tokens, store):
            yield AnswersProgress(done, total, store)
    del opened
    _free()


def measure_fidelity(
    candidate: Path, store: ReferenceStore, root: Path, *, cache_bits: CacheBits = 16
) -> Iterator[FidelityProgress]:
    """Hold the model in the folder `candidate` against the kept answers, and keep the result below `root`.

    The candidate keeps its keys and values in `cache_bits`; the reference had them in 16.

    Raises:
        BadCorpus: it has another vocabulary or chat template, or the answers are not complete.
        EngineError: its predictions are no numbers.
        InvalidParameter: it cannot keep its context in so few bits.
        ModelError, OutOfMemory: it cannot be opened, or does not fit.
        StorageError: the answers are damaged, or the result cannot be kept.
    """
    if not store.is_whole:
        raise BadCorpus("The answers of the original are not complete. Measure again, which goes on where it was.")
    opened = open_model(candidate)
    header, words = store.header, store.reading
    tokens = same_sample(words, opened.tokenizer, header.sample, opened.name)
    _read(opened)
    layers = Layers(opened.network, opened.cache_obstacle)
    found: list[Positions] = []
    for number in range(len(header.kinds)):
        cache = None if cache_bits == 16 else layers.make(cache_bits)
        found.append(compare(opened.network, store.read(number), header.convention, cache=cache))
        if len(found) < len(header.kinds):
            yield FidelityProgress(len(found), len(header.kinds), fidelity(found))
    result = FidelityResult(
        candidate=opened.name,
        candidate_weights=fingerprint(candidate),
        cache_bits=cache_bits,
        reference=header.model,
        reference_weights=header.weights,
        answers=header.key,
        corpus=header.corpus,
        convention=header.convention.in_words,
        fidelity=fidelity(found),
        by_kind=by_kind(found, header.kinds),
        kl_counts=kl_counts(found),
        worst=tuple(_divergences(found, tokens, opened)),
        machine=device_name(),
        created=provenance.now(),
        tools=provenance.versions("facet", "mlx", "mlx-lm"),
    )
    _keep_positions(found, keep_fidelity(result, root))
    del opened
    _free()
    yield FidelityProgress(len(found), len(found), result.fidelity, result)


def _read(model: Model) -> None:
    for _ in model.read_weights():
        pass


def _free() -> None:
    gc.collect()
    mx.clear_cache()


def _divergences(found: Sequence[Positions], tokens: Sample, model: Model) -> Iterator[Divergence]:
    first = tokens.convention.first_scored
    for chunk, position in worst_positions(found):
        at, one = first + position, found[chunk]
        own = tokens.tokens[chunk]
        yield Divergence(
            chunk=chunk,
            position=at,
            kind=tokens.kinds[chunk],
            kl=float(one.kl[position]),
            before=model.tokenizer.decode(own[max(0, at + 1 - _words_before) : at + 1].tolist()),
            true=model.tokenizer.decode([int(own[at + 1])]),
            reference=_choices(
                model, one.reference_top_ids[position].tolist(), one.reference_top_log_probabilities[position].tolist()
            ),
            candidate=_choices(model, one.top_ids[position].tolist(), one.top_log_probabilities[position].tolist()),
        )


def _choices(model: Model, ids: list[int], log_probabilities: list[float]) -> tuple[Choice, ...]:
    probabilities = np.exp(log_probabilities).tolist()
    return tuple(Choice(model.tokenizer.decode([one]), chance) for one, chance in zip(ids, probabilities, strict=True))


def _keep_positions(found: Sequence[Positions], folder: Path) -> None:
    arrays: dict[str, Any] = {name: np.stack([getattr(one, name) for one in found]) for name in Positions.__slots__}
    with storage_errors(folder):
        partial = folder / "positions.partial.npz"
        np.savez(partial, **arrays)
        partial.replace(folder / "positions.npz")
