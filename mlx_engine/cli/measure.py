"""`facet measure`: compares quantizations with their original."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli import job
from mlx_engine.cli.corpus_option import fetch_corpus, parse_corpus
from mlx_engine.cli.model_lookup import AddedFolders, find_model, roots, suggest_pull
from mlx_engine.cli.views import fidelity as measure_view
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.failure import FAILED, UsageError, report
from mlx_engine.cli.views.job import StatusView, show_all
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.errors import FacetError, ModelNotFound
from mlx_engine.folders import Folders
from mlx_engine.measure.results.convention import Convention, ScoredPositions
from mlx_engine.measure.results.messages import (
    TAIL_MASS,
    FidelityMeasured,
    FidelityProgress,
    MeasureFidelity,
    RecordReference,
    ReferenceProgress,
    ReferenceRecorded,
)
from mlx_engine.measure.results.references import find_reference
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.study.study_file import STAND_IN, conversion_label
from mlx_engine.models.description.description import BrokenDescription, ModelDescription
from mlx_engine.models.library import library
from mlx_engine.protocol import CacheBits
from mlx_engine.quantize.plan.messages import Convert
from mlx_engine.quantize.recipes import builtin


def measure(  # noqa: PLR0913 - options
    original: str,
    candidates: Annotated[tuple[str, ...], Parameter(negative=())],
    /,
    *,
    corpus: str = "facet",
    tokens: int = 8192,
    chunk: int = 512,
    scored: ScoredPositions = "second half",
    cache_bits: CacheBits = 16,
    tail: float = TAIL_MASS,
    stand_in: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    folder: AddedFolders = (),
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Measure the quality loss of quantizations.

    The original reads a text once, and its predictions are stored. Each candidate is then compared with them, with one
    model in memory at a time. Later runs reuse the stored predictions, even if the original was deleted. Control-C
    stops the measurement; run the same command to resume it.

    If a candidate fails, the others are still measured, and the exit code is 1. docs/measuring.md has the formulas.

    Args:
        original: Name, id or folder of the original.
        candidates: Names, ids or folders of its quantizations.
        corpus: "facet" for Facet's own text, "facet:code,prose" for parts of it, "wikitext-2" or
            hub:OWNER/NAME/path/of/the/file.txt for a text that is downloaded once, or a .txt or .jsonl file.
        tokens: Approximate number of tokens to read; 0 for the whole text.
        chunk: Chunk length in tokens.
        scored: Scored positions of each chunk: "second half", as in llama.cpp, or "all".
        cache_bits: Precision of the candidates' KV cache, in bits.
        tail: Probability mass at each position that the stored predictions may omit; 0 stores everything.
        stand_in: Use an 8-bit conversion instead of an original that is too large, and create it if needed. All
            divergences are then lower bounds.
        folder: Also look for models in this folder. Can be repeated.
        json: Write JSON, one object per line for each candidate.
    """
    if tokens < 0:
        raise UsageError(f"--tokens is {tokens}; it must be at least 0.")
    if not 0 <= tail < 1:
        raise UsageError(f"--tail is {tail}; it must be at least 0 and below 1.")
    folders = Folders.from_environment()
    paths = {name: _find_candidate(name, folder).path for name in candidates}
    request = RecordReference(
        id=original,
        model=original,
        corpus=parse_corpus(corpus),
        convention=Convention(chunk_tokens=chunk, scored=scored),
        limit_tokens=tokens,
        tail_mass=tail,
        is_stand_in=stand_in,
    )
    try:
        reference = _reference_folder(request, folder, folders)
        requests = [
            MeasureFidelity(id=name, model=str(path), reference_folder=reference, cache_bits=cache_bits)
            for name, path in paths.items()
        ]
        results = list(_compare(requests, folders, json=json))
    except KeyboardInterrupt:
        terminal.note("Stopped. Results so far are saved. To resume, run the same command again.\n")
        raise
    if len(results) > 1 and not json:
        terminal.write(measure_view.summary(results))
    return FAILED if len(results) < len(requests) else 0


def _find_candidate(name: str, additional: AddedFolders) -> ModelDescription | BrokenDescription:
    try:
        return library.find_row_or_path(roots(additional), name)
    except ModelNotFound as error:
        raise suggest_pull(error, name) from error


def _reference_folder(request: RecordReference, additional: AddedFolders, folders: Folders) -> str:
    """Return the folder with the predictions of the original; record them if they are not stored yet."""
    try:
        model = find_model(request.model, additional)
    except ModelNotFound as error:
        return _stored_reference(request, folders, error)
    # The text comes first, because it may be invalid or unavailable, and a conversion takes long.
    corpus = fetch_corpus(request.corpus, folders)
    label, path = _stand_in(model, folders) if request.is_stand_in else (request.id, model.path)
    return _record(msgspec.structs.replace(request, id=label, model=str(path), corpus=corpus), folders)


def _compare(requests: Sequence[MeasureFidelity], folders: Folders, *, json: bool) -> Iterator[FidelityResult]:
    """Measure and show each candidate; yield the results of those that did not fail."""
    for request in requests:
        try:
            result = _measure_candidate(request, folders)
        except FacetError as error:
            report(error.message if request.id in error.message else f"{request.id}: {error.message}")
            if json:
                write_json({"candidate": request.id, "error": error.title, "message": error.message})
                sys.stdout.flush()
        else:
            _show(result, json=json)
            yield result


def _stand_in(original: ModelDescription, folders: Folders) -> tuple[str, Path]:
    """Return the name and folder of the conversion that replaces `original`; create it if needed."""
    label = conversion_label(original.id, STAND_IN)
    path = folders.models / label
    if not path.exists():
        terminal.note(f"Creating {label} to replace the original.\n")
        request = Convert(
            id=label, source=str(original.path), target=str(path), model_id=label, recipe=builtin.recipe(STAND_IN)
        )
        for _ in job.run(request, folders):
            pass
    return label, path


def _stored_reference(request: RecordReference, folders: Folders, missing: ModelNotFound) -> str:
    """Return the folder with the stored predictions of an original that no longer exists."""
    name = conversion_label(request.id, STAND_IN) if request.is_stand_in else request.id
    folder = find_reference(folders.references, msgspec.structs.replace(request, id=name))
    if folder is None:
        raise missing
    terminal.note(f"{request.id} no longer exists. Using its stored predictions.\n")
    return str(folder)


def _record(request: RecordReference, folders: Folders) -> str:
    end = show_all(job.run(request, folders), StatusView(_describe_progress))
    assert isinstance(end, ReferenceRecorded)  # noqa: S101 - the last event of a recording that did not fail
    return end.reference_folder


def _measure_candidate(request: MeasureFidelity, folders: Folders) -> FidelityResult:
    end = show_all(job.run(request, folders), StatusView(_describe_progress))
    assert isinstance(end, FidelityMeasured)  # noqa: S101 - the last event of a measurement that did not fail
    return end.result


def _describe_progress(event: JobEvent) -> str:
    match event:
        case ReferenceProgress(done=done, total=total):
            return f"Reading the text with the original: {done} of {total} chunks"
        case FidelityProgress(done=done, total=total, so_far=so_far):
            return f"{event.id}: {done} of {total} chunks, KL {so_far.mean_kl:.4f}"
        case _:
            return ""


def _show(result: FidelityResult, *, json: bool) -> None:
    if json:
        fields = msgspec.to_builtins(result)
        write_json({**fields.pop("fidelity"), **fields})
        sys.stdout.flush()
    else:
        terminal.write("".join(f"{line}\n" for line in measure_view.lines(result)) + "\n")
