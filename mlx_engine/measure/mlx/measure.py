"""Measures fidelity with one model in memory at a time: first the reference's answers are kept, then each candidate is
held against them. Both are iterators of progress that can be closed, and taken up again.
"""

import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import msgspec
import numpy as np

from mlx_engine.errors import BrokenModel, InvalidParameter, StorageError
from mlx_engine.inference.layers import Layers
from mlx_engine.inference.load import Model, device_name, open_model
from mlx_engine.measure.corpus.corpus import Corpus
from mlx_engine.measure.corpus.rendered_corpus import pasted_text_convention, render_corpus
from mlx_engine.measure.corpus.sample import TokenSample, matching_sample, tokenize
from mlx_engine.measure.corpus.token_text import decode_token
from mlx_engine.measure.mlx.comparison import compare
from mlx_engine.measure.mlx.memory_guard import engine_errors, require_memory
from mlx_engine.measure.mlx.reference import ReferenceStore, run_reference
from mlx_engine.measure.results.fidelity import count_kl, summarize, summarize_by_kind, worst_positions
from mlx_engine.measure.results.fingerprints import Fingerprints
from mlx_engine.measure.results.header import ReferenceHeader
from mlx_engine.measure.results.messages import MeasureFidelity, RecordReference
from mlx_engine.measure.results.positions import Positions
from mlx_engine.measure.results.results import (
    PASTED_TEXT,
    Divergence,
    Fidelity,
    FidelityResult,
    TopToken,
    fidelity_folder,
    find_fidelity,
    fingerprints,
    save_fidelity,
)
from mlx_engine.measure.study.tokens import has_tokens, save_tokens
from mlx_engine.models.description import provenance
from mlx_engine.models.files.staging import in_use
from mlx_engine.models.memory.machine import this_machine
from mlx_engine.protocol import CacheBits

_words_before = 40
"""Tokens of context that are shown with a divergence."""


@dataclass(frozen=True, slots=True)
class ReferenceUpdate:
    """How many chunks of `store` the reference has answered."""

    done: int
    total: int
    store: ReferenceStore


@dataclass(frozen=True, slots=True)
class FidelityUpdate:
    """How many chunks the candidate has been held against, and what they say so far."""

    done: int
    total: int
    so_far: Fidelity
    result: FidelityResult | None = None
    """The whole, with the last chunk."""


def record_reference(
    asked: RecordReference, corpus: Corpus, root: Path, known: Fingerprints
) -> Iterator[ReferenceUpdate]:
    """Let a model answer `corpus`, and keep what it says below `root`.

    The first progress says what is there already. Nothing is run when all is. While another process answers the same,
    this one waits. Of a text that was typed in, all tokens are scored, whatever the convention.

    Raises:
        BadCorpus: the texts are shorter than a chunk.
        EngineError: its predictions are no numbers.
        ModelError, OutOfMemory: the model cannot be opened, or does not fit.
        StorageError: the answers cannot be kept.
    """
    model = Path(asked.model)
    require_memory(model, asked.id, asked.convention, this_machine(), way_out=_way_out(asked))
    opened = open_model(model)
    convention = pasted_text_convention(corpus, opened.tokenizer) if corpus.name == PASTED_TEXT else asked.convention
    words = render_corpus(corpus, opened.tokenizer, convention, limit_tokens=asked.limit_tokens)
    tokens = tokenize(words, opened.tokenizer)
    _require_fit(tokens, opened, asked.id)
    header = ReferenceHeader(
        model=asked.id,
        folder=str(model),
        weights=known.of(model),
        is_stand_in=asked.is_stand_in,
        corpus=corpus.name,
        choice=asked.corpus,
        limit_tokens=asked.limit_tokens,
        sample=tokens.fingerprint,
        convention=convention,
        kinds=tokens.kinds,
        vocabulary=opened.vocabulary_size,
        tail_mass=asked.tail_mass,
        created=provenance.now(),
    )
    store = ReferenceStore.create(root, header, words)
    missing, total = sum(1 for _ in store.missing), len(tokens.kinds)
    yield ReferenceUpdate(total - missing, total, store)
    if missing:
        with in_use(store.folder, alone=True), engine_errors(asked.id):
            _read(opened)
            for done in run_reference(opened.network, tokens, store):
                yield ReferenceUpdate(done, total, store)
    del opened
    _free()


def measure_fidelity(asked: MeasureFidelity, root: Path) -> Iterator[FidelityUpdate]:
    """Hold a model against the kept answers, and keep the result below `root`.

    It may keep its keys and values in fewer bits; the reference had them in 16. Chunks are run one at a time: there is
    no batch whose size could change a figure. What was measured before in the same way is not measured again.

    Raises:
        EngineError: its predictions are no numbers.
        InvalidParameter: it cannot keep its context in so few bits.
        ModelError, OutOfMemory: it cannot be opened, or does not fit.
        NotComparable: it has another vocabulary or chat template.
        StorageError: the answers are damaged or not complete, or the result cannot be kept.
    """
    store = ReferenceStore.open(Path(asked.reference_folder))
    with in_use(store.folder):
        if not store.is_whole:
            raise StorageError(
                f"The kept answers in {store.folder} are not complete, or damaged. Measure again: the original then "
                "reads what is missing."
            )
        yield from _measured(asked, store, root)


def _measured(asked: MeasureFidelity, store: ReferenceStore, root: Path) -> Iterator[FidelityUpdate]:
    candidate, name, cache_bits = Path(asked.model), asked.id, asked.cache_bits
    header, words = store.header, store.reading
    require_memory(candidate, name, header.convention, this_machine(), cache_bits=cache_bits)
    opened = open_model(candidate)
    tokens = matching_sample(words, opened.tokenizer, header.sample, name)
    _require_fit(tokens, opened, name)
    weights = fingerprints(root).of(candidate)
    tools, machine = provenance.measured_with(), device_name()
    before = find_fidelity(root, header.key, weights, cache_bits)
    if before and (before.tools, before.machine) == (tools, machine) and has_tokens(fidelity_folder(before, root)):
        before = msgspec.structs.replace(before, candidate=name, reference=header.model, private=header.choice.private)
        yield FidelityUpdate(len(header.kinds), len(header.kinds), before.fidelity, before)
        return
    _read(opened)
    found: list[Positions] = []
    pace = _Pace()
    with engine_errors(name):
        for one in _compared(opened, store, cache_bits):
            found.append(one)
            if len(found) < len(header.kinds) and pace.is_due():
                yield FidelityUpdate(len(found), len(header.kinds), pace.timed(found))
    result = FidelityResult(
        candidate=name,
        candidate_weights=weights,
        cache_bits=cache_bits,
        reference=header.model,
        reference_weights=header.weights,
        is_stand_in=header.is_stand_in,
        reference_key=header.key,
        corpus=header.corpus,
        private=header.choice.private,
        convention=header.convention.text,
        fidelity=summarize(found),
        by_kind=summarize_by_kind(found, header.kinds),
        kl_counts=count_kl(found),
        worst=tuple(_divergences(found, tokens, opened)),
        machine=machine,
        created=provenance.now(),
        tools=tools,
    )
    save_tokens(found, tokens, opened.tokenizer, fidelity_folder(result, root))
    save_fidelity(result, root)
    del opened
    _free()
    yield FidelityUpdate(len(found), len(found), result.fidelity, result)


def _way_out(asked: RecordReference) -> str:
    """Return what to do about an original that is too large."""
    if asked.is_stand_in:
        return "Not even 8 bits fit in the place of the original: measure on a machine with more memory."
    return (
        "A conversion to 8 bits can answer in its place: measure with a stand-in (--stand-in, or stand_in in a plan). "
        "What those 8 bits lose themselves is missing then, so that each divergence is to be taken as a lower bound."
    )


def _require_fit(tokens: TokenSample, model: Model, name: str) -> None:
    """See that the network knows all tokens that the tokenizer makes, and has the context: MLX does not say when it
    reads beyond.
    """
    if (size := tokens.convention.chunk_tokens) > model.context_length:
        raise InvalidParameter(
            f"{name} has a context of {model.context_length:,} tokens, and chunks of {size:,} are longer. Have shorter "
            "chunks read."
        )
    if tokens.tokens.max() >= model.vocabulary_size:
        raise BrokenModel(
            f"{name} has a tokenizer that makes tokens up to {tokens.tokens.max():,}, and weights for "
            f"{model.vocabulary_size:,} of them. Its files do not fit together; download the model again."
        )


def _compared(model: Model, store: ReferenceStore, cache_bits: CacheBits) -> Iterator[Positions]:
    layers = Layers(model.network, model.cache_obstacle)
    for number in range(len(store.header.kinds)):
        cache = layers.make(cache_bits)
        yield compare(model.network, store.read(number), store.header.convention, cache=cache)


class _Pace:
    """Sums up now and then: how often depends on how long it takes, which grows with what was found."""

    def __init__(self) -> None:
        self._next = 0.0

    def is_due(self) -> bool:
        return time.monotonic() >= self._next

    def timed(self, found: Sequence[Positions]) -> Fidelity:
        """Sum up, and let fifty times as long pass before the next time."""
        began = time.monotonic()
        so_far = summarize(found)
        ended = time.monotonic()
        self._next = ended + 50 * (ended - began)
        return so_far


def _read(model: Model) -> None:
    for _ in model.read_weights():
        pass


def _free() -> None:
    gc.collect()
    mx.clear_cache()


def _divergences(found: Sequence[Positions], tokens: TokenSample, model: Model) -> Iterator[Divergence]:
    first = tokens.convention.first_scored
    for chunk, position in worst_positions(found):
        at, one = first + position, found[chunk]
        own = tokens.tokens[chunk]
        true = int(own[at + 1])
        yield Divergence(
            chunk=chunk,
            position=at,
            kind=tokens.kinds[chunk],
            kl=float(one.kl[position]),
            before=model.tokenizer.decode(own[max(0, at + 1 - _words_before) : at + 1].tolist()),
            true=decode_token(model.tokenizer, true),
            reference=_choices(
                model, one.reference_top_ids[position], one.reference_top_log_probabilities[position], true
            ),
            candidate=_choices(model, one.top_ids[position], one.top_log_probabilities[position], true),
        )


def _choices(model: Model, ids: Any, log_probabilities: Any, true: int) -> tuple[TopToken, ...]:
    """Return the choices of one position; `true` is the token that really follows."""
    chances = np.exp(log_probabilities).tolist()
    return tuple(
        TopToken(decode_token(model.tokenizer, one), chance, one == true)
        for one, chance in zip(ids.tolist(), chances, strict=True)
    )
