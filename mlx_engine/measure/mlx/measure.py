"""Measures fidelity with one model in memory at a time: records the reference's predictions, then compares candidates.

Both are iterators of progress, which can be closed and resumed.
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
from mlx_engine.models.description.describe import describe
from mlx_engine.models.files.staging import in_use
from mlx_engine.models.memory.machine import this_machine
from mlx_engine.protocol import CacheBits

_CONTEXT_TOKENS = 40
"""Shown before a divergence."""


@dataclass(frozen=True, slots=True)
class ReferenceUpdate:
    """The number of chunks in `store` that the reference has read."""

    done: int
    total: int
    store: ReferenceStore


@dataclass(frozen=True, slots=True)
class FidelityUpdate:
    """The number of compared chunks, and their fidelity so far."""

    done: int
    total: int
    so_far: Fidelity
    result: FidelityResult | None = None
    """Set with the last chunk."""


def record_reference(
    request: RecordReference, corpus: Corpus, root: Path, fingerprint_cache: Fingerprints
) -> Iterator[ReferenceUpdate]:
    """Run a model over `corpus` and store its predictions below `root`; `fingerprint_cache` has the fingerprints.

    The first progress counts the existing chunks; if none is missing, the model is not run. If another process records
    the same reference, this one waits. All tokens of a pasted text are scored, regardless of the convention.

    Raises:
        BadCorpus: the texts are shorter than one chunk.
        EngineError: a prediction is NaN or infinite.
        ModelError, OutOfMemory: the model cannot be loaded, or does not fit.
        StorageError: the predictions cannot be written.
    """
    folder = Path(request.model)
    require_memory(folder, request.id, request.convention, this_machine(), remedy=_too_large_remedy(request))
    model = open_model(folder)
    convention = pasted_text_convention(corpus, model.tokenizer) if corpus.name == PASTED_TEXT else request.convention
    rendered = render_corpus(corpus, model.tokenizer, convention, limit_tokens=request.limit_tokens)
    tokens = tokenize(rendered, model.tokenizer)
    _require_fit(tokens, model, request.id)
    header = ReferenceHeader(
        model=request.id,
        folder=str(folder),
        notes=describe(folder, request.id).notes,
        weights=fingerprint_cache.of(folder),
        is_stand_in=request.is_stand_in,
        corpus=corpus.name,
        source=request.corpus,
        limit_tokens=request.limit_tokens,
        sample=tokens.fingerprint,
        convention=convention,
        kinds=tokens.kinds,
        vocabulary=model.vocabulary_size,
        tail_mass=request.tail_mass,
        created=provenance.now(),
    )
    store = ReferenceStore.create(root, header, rendered)
    missing, total = sum(1 for _ in store.missing), len(tokens.kinds)
    yield ReferenceUpdate(total - missing, total, store)
    if missing:
        with in_use(store.folder, alone=True), engine_errors(request.id):
            _read_weights(model)
            for done in run_reference(model.network, tokens, store):
                yield ReferenceUpdate(done, total, store)
    del model
    _free()


def measure_fidelity(request: MeasureFidelity, root: Path) -> Iterator[FidelityUpdate]:
    """Compare a model with stored predictions, and save the result below `root`.

    Its KV cache may be quantized; that of the reference has 16 bits. Chunks are run one at a time, since a batch size
    could change the figures. An existing result of the same measurement is returned without running the model.

    Raises:
        EngineError: a prediction is NaN or infinite.
        InvalidParameter: the model does not support a KV cache of this precision.
        ModelError, OutOfMemory: the model cannot be opened, or does not fit.
        NotComparable: its vocabulary or chat template differs.
        StorageError: the predictions are damaged or incomplete, or the result cannot be written.
    """
    store = ReferenceStore.open(Path(request.reference_folder))
    with in_use(store.folder):
        if not store.is_complete:
            raise StorageError(
                f"The stored predictions in {store.folder} are incomplete or damaged. Measure again, so that the "
                "original reads the missing chunks."
            )
        yield from _measure(request, store, root)


def _measure(request: MeasureFidelity, store: ReferenceStore, root: Path) -> Iterator[FidelityUpdate]:
    folder, name, cache_bits = Path(request.model), request.id, request.cache_bits
    header, corpus = store.header, store.corpus
    require_memory(folder, name, header.convention, this_machine(), cache_bits=cache_bits)
    model = open_model(folder)
    tokens = matching_sample(corpus, model.tokenizer, header.sample, name)
    _require_fit(tokens, model, name)
    weights = fingerprints(root).of(folder)
    tools, machine = provenance.measured_with(), device_name()
    earlier = find_fidelity(root, header.key, weights, cache_bits)
    if earlier and (earlier.tools, earlier.machine) == (tools, machine) and has_tokens(fidelity_folder(earlier, root)):
        earlier = msgspec.structs.replace(
            earlier, candidate=name, reference=header.model, private=header.source.private
        )
        yield FidelityUpdate(len(header.kinds), len(header.kinds), earlier.fidelity, earlier)
        return
    _read_weights(model)
    compared: list[Positions] = []
    summary = _ThrottledSummary()
    with engine_errors(name):
        for positions in _compare_chunks(model, store, cache_bits):
            compared.append(positions)
            if len(compared) < len(header.kinds) and summary.is_due():
                yield FidelityUpdate(len(compared), len(header.kinds), summary.of(compared))
    result = FidelityResult(
        candidate=name,
        candidate_weights=weights,
        cache_bits=cache_bits,
        reference=header.model,
        reference_weights=header.weights,
        is_stand_in=header.is_stand_in,
        reference_key=header.key,
        corpus=header.corpus,
        private=header.source.private,
        convention=header.convention.text,
        fidelity=summarize(compared),
        by_kind=summarize_by_kind(compared, header.kinds),
        kl_counts=count_kl(compared),
        worst=tuple(_divergences(compared, tokens, model)),
        machine=machine,
        created=provenance.now(),
        tools=tools,
    )
    save_tokens(compared, tokens, model.tokenizer, fidelity_folder(result, root))
    save_fidelity(result, root)
    del model
    _free()
    yield FidelityUpdate(len(compared), len(compared), result.fidelity, result)


def _too_large_remedy(request: RecordReference) -> str:
    """Return advice for an original that is too large."""
    if request.is_stand_in:
        return "Even an 8-bit conversion of the original does not fit. Use a Mac with more memory."
    return (
        "An 8-bit conversion can replace it: use --stand-in, or stand_in in a plan. Its own loss is not included, "
        "so each divergence is then a lower bound."
    )


def _require_fit(tokens: TokenSample, model: Model, name: str) -> None:
    """Require a sufficient context length and vocabulary, since MLX would read out of bounds without an error."""
    if (size := tokens.convention.chunk_tokens) > model.context_length:
        raise InvalidParameter(
            f"{name} has a context length of {model.context_length:,} tokens, less than a chunk of {size:,}. Use "
            "shorter chunks."
        )
    if tokens.tokens.max() >= model.vocabulary_size:
        raise BrokenModel(
            f"{name} has a tokenizer with token ids up to {tokens.tokens.max():,}, but weights for only "
            f"{model.vocabulary_size:,} tokens. Look for another version of the model."
        )


def _compare_chunks(model: Model, store: ReferenceStore, cache_bits: CacheBits) -> Iterator[Positions]:
    layers = Layers(model.network, model.cache_obstacle)
    for number in range(len(store.header.kinds)):
        cache = layers.make(cache_bits)
        yield compare(model.network, store.read(number), store.header.convention, cache=cache)


class _ThrottledSummary:
    """Summarizes intermediate results, less often as that takes longer with more chunks."""

    def __init__(self) -> None:
        self._next = 0.0

    def is_due(self) -> bool:
        return time.monotonic() >= self._next

    def of(self, compared: Sequence[Positions]) -> Fidelity:
        """Summarize, and schedule the next time after 50 times the duration."""
        start = time.monotonic()
        so_far = summarize(compared)
        end = time.monotonic()
        self._next = end + 50 * (end - start)
        return so_far


def _read_weights(model: Model) -> None:
    for _ in model.read_weights():
        pass


def _free() -> None:
    gc.collect()
    mx.clear_cache()


def _divergences(compared: Sequence[Positions], tokens: TokenSample, model: Model) -> Iterator[Divergence]:
    first = tokens.convention.first_scored
    for chunk, position in worst_positions(compared):
        at, positions = first + position, compared[chunk]
        ids = tokens.tokens[chunk]
        true = int(ids[at + 1])
        yield Divergence(
            chunk=chunk,
            position=at,
            kind=tokens.kinds[chunk],
            kl=float(positions.kl[position]),
            before=model.tokenizer.decode(ids[max(0, at + 1 - _CONTEXT_TOKENS) : at + 1].tolist()),
            true=decode_token(model.tokenizer, true),
            reference=_top_tokens(
                model, positions.reference_top_ids[position], positions.reference_top_log_probabilities[position], true
            ),
            candidate=_top_tokens(model, positions.top_ids[position], positions.top_log_probabilities[position], true),
        )


def _top_tokens(model: Model, ids: Any, log_probabilities: Any, true: int) -> tuple[TopToken, ...]:
    """Return the most likely tokens of one position; `true` is the token that follows in the text."""
    probabilities = np.exp(log_probabilities).tolist()
    return tuple(
        TopToken(decode_token(model.tokenizer, token), probability, token == true)
        for token, probability in zip(ids.tolist(), probabilities, strict=True)
    )
