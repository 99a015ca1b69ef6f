"""Serves measurement requests."""

import time
from collections.abc import Iterator
from pathlib import Path

from mlx_engine.folders import Folders
from mlx_engine.inference.load import open_model
from mlx_engine.measure.corpus.corpus import load_corpus
from mlx_engine.measure.corpus.rendered_corpus import render_corpus
from mlx_engine.measure.corpus.sample import tokenize
from mlx_engine.measure.mlx.measure import measure_fidelity, record_reference
from mlx_engine.measure.mlx.reference import ReferenceStore
from mlx_engine.measure.mlx.speed import measure_speed
from mlx_engine.measure.results.messages import (
    CorpusRead,
    FidelityMeasured,
    FidelityProgress,
    MeasureEvent,
    MeasureFidelity,
    MeasureRequest,
    MeasureSpeed,
    ReadCorpus,
    ReadTokens,
    RecordReference,
    ReferenceProgress,
    ReferenceRecorded,
    SpeedMeasured,
    SpeedProgress,
)
from mlx_engine.measure.results.references import require_space, trim
from mlx_engine.measure.results.results import fingerprints, save_speed
from mlx_engine.measure.study.study import remaining
from mlx_engine.measure.study.study_file import all_studies
from mlx_engine.measure.study.tokens import read_tokens


def serve(request: MeasureRequest) -> Iterator[MeasureEvent]:
    """Yield the events of one request.

    Raises:
        FacetError: the request failed.
    """
    folders = Folders.from_environment()
    match request:
        case RecordReference():
            yield from _record_reference(request, folders)
        case MeasureFidelity():
            yield from _measure_fidelity(request, folders)
        case MeasureSpeed():
            yield from _measure_speed(request, folders)
        case ReadTokens():
            yield read_tokens(request)
        case ReadCorpus():
            yield _read_corpus(request, folders)


def _read_corpus(request: ReadCorpus, folders: Folders) -> CorpusRead:
    tokenizer = open_model(Path(request.model)).tokenizer
    texts = load_corpus(request.corpus, folders.datasets)
    tokens = tokenize(render_corpus(texts, tokenizer, request.convention, limit_tokens=request.limit_tokens), tokenizer)
    return CorpusRead(request.id, tokens.tokens.size, tuple(dict.fromkeys(tokens.kinds)))


def _record_reference(request: RecordReference, folders: Folders) -> Iterator[MeasureEvent]:
    started, first = time.monotonic(), None
    fingerprint_cache = fingerprints(folders.measurements)
    corpus = load_corpus(request.corpus, folders.datasets)
    for progress in record_reference(request, corpus, folders.references, fingerprint_cache):
        store = progress.store
        if first is None or progress.done == 1:
            _require_space(store, progress.done, progress.total, folders)
        if first is None:
            started, first = time.monotonic(), progress.done
        tokens = (progress.done - first) * store.header.convention.chunk_tokens
        rate = tokens / max(time.monotonic() - started, 1e-6)
        yield ReferenceProgress(id=request.id, done=progress.done, total=progress.total, tokens_per_s=rate)
    trim(folders.references, keep=_needed(store, folders))
    size = store.size_bytes
    full_size = 2 * store.header.vocabulary * store.header.scored_positions
    yield ReferenceRecorded(id=request.id, reference_folder=str(store.folder), size_bytes=size, share=size / full_size)


def _require_space(store: ReferenceStore, done: int, total: int, folders: Folders) -> None:
    """Check the disk space for the remaining predictions: at first a minimum, after the first chunk an estimate."""
    size = store.size_bytes
    remaining_bytes = size * (total - done) // done if done else store.min_bytes
    require_space(folders.references, remaining_bytes, keep=_needed(store, folders))


def _needed(store: ReferenceStore, folders: Folders) -> set[Path]:
    """Return the references that must not be deleted: this one, and those of unfinished studies."""
    unfinished = (study.reference_folder for study in all_studies(folders.studies) if next(remaining(study), None))
    return {store.folder, *map(Path, filter(None, unfinished))}


def _measure_fidelity(request: MeasureFidelity, folders: Folders) -> Iterator[MeasureEvent]:
    for progress in measure_fidelity(request, folders.measurements):
        if progress.result is None:
            yield FidelityProgress(id=request.id, done=progress.done, total=progress.total, so_far=progress.so_far)
        else:
            yield FidelityMeasured(request.id, progress.result)


def _measure_speed(request: MeasureSpeed, folders: Folders) -> Iterator[MeasureEvent]:
    fingerprint_cache = fingerprints(folders.measurements)
    for progress in measure_speed(
        Path(request.model), request.plan, name=request.id, fingerprint_cache=fingerprint_cache
    ):
        if progress.so_far and progress.done == progress.total:
            save_speed(progress.so_far, folders.measurements)
            yield SpeedMeasured(request.id, progress.so_far)
        else:
            yield SpeedProgress(
                id=request.id,
                done=progress.done,
                total=progress.total,
                step=progress.step,
                so_far=progress.so_far,
            )
