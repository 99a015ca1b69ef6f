"""`facet measure`: says how far quantizations are from their original."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli import job
from mlx_engine.cli.corpus_option import chosen, here
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
    """Measure how far quantizations are from their original.

    The original reads a text once, and what it says is kept; each candidate is then held against that, with one model
    in memory at a time. A later run needs the original no more. Control-C stops it; the same command goes on.

    A candidate that fails leaves the others; the exit code is 1 then. docs/measuring.md has the formulas.

    Args:
        original: The original by name or id, or its folder.
        candidates: Its quantizations, likewise.
        corpus: "facet" is Facet's own text, "facet:code,prose" parts of it; "wikitext-2" is fetched from the Hub once,
            as is hub:OWNER/NAME/path/of/a/file.txt; else a .txt or .jsonl file.
        tokens: Read about so many; 0 is all of the text.
        chunk: Tokens that are read at a time.
        scored: Which positions of a chunk count: "second half", as llama.cpp has it, or "all".
        cache_bits: Bits in which the candidates keep their context.
        tail: How much probability the kept answers may leave out at each position; 0 keeps all of it.
        stand_in: Let a conversion to 8 bits answer for an original that is too large; it is made if it is not there.
            All divergences are lower bounds then.
        folder: Look for models in this folder as well.
        json: Write one JSON object a candidate.
    """
    if tokens < 0 or not 0 <= tail < 1:
        raise UsageError("--tokens is 0 or more, and --tail a share from 0 to less than 1.")
    folders = Folders.from_environment()
    paths = {name: _found(name, folder).path for name in candidates}
    asked = RecordReference(
        id=original,
        model=original,
        corpus=chosen(corpus),
        convention=Convention(chunk_tokens=chunk, scored=scored),
        limit_tokens=tokens,
        tail_mass=tail,
        is_stand_in=stand_in,
    )
    try:
        answers = _reference(asked, folder, folders)
        requests = [
            MeasureFidelity(id=name, model=str(path), reference_folder=answers, cache_bits=cache_bits)
            for name, path in paths.items()
        ]
        results = list(_compared(requests, folders, json=json))
    except KeyboardInterrupt:
        terminal.note("Stopped. What was read and measured is kept; the same command goes on.\n")
        raise
    if len(results) > 1 and not json:
        terminal.write(measure_view.summary(results))
    return FAILED if len(results) < len(requests) else 0


def _found(name: str, further: AddedFolders) -> ModelDescription | BrokenDescription:
    try:
        return library.find_row_or_path(roots(further), name)
    except ModelNotFound as error:
        raise suggest_pull(error, name) from error


def _reference(asked: RecordReference, further: AddedFolders, folders: Folders) -> str:
    """Return the folder with the answers of the original that `asked` names; they are kept now, if not before."""
    try:
        model = find_model(asked.model, further)
    except ModelNotFound as error:
        return _kept(asked, folders, error)
    # The text first, which may be bad or not to be had: to convert takes long.
    corpus = here(asked.corpus, folders)
    label, path = _stand_in(model, folders) if asked.is_stand_in else (asked.id, model.path)
    return _answers(msgspec.structs.replace(asked, id=label, model=str(path), corpus=corpus), folders)


def _compared(requests: Sequence[MeasureFidelity], folders: Folders, *, json: bool) -> Iterator[FidelityResult]:
    """Measure one candidate after the other, and tell each; give the results of those that have not failed."""
    for request in requests:
        try:
            result = _measured(request, folders)
        except FacetError as error:
            report(error.message if request.id in error.message else f"{request.id}: {error.message}")
            if json:
                write_json({"candidate": request.id, "error": error.title, "message": error.message})
                sys.stdout.flush()
        else:
            _tell(result, json=json)
            yield result


def _stand_in(original: ModelDescription, folders: Folders) -> tuple[str, Path]:
    """Return name and folder of the conversion that answers for `original`, made if it is not there."""
    label = conversion_label(original.id, STAND_IN)
    path = folders.models / label
    if not path.exists():
        terminal.note(f"{label} is made, to answer in the place of the original.\n")
        request = Convert(
            id=label, source=str(original.path), target=str(path), model_id=label, recipe=builtin.recipe(STAND_IN)
        )
        for _ in job.run(request, folders):
            pass
    return label, path


def _kept(asked: RecordReference, folders: Folders, missing: ModelNotFound) -> str:
    """Return the folder with the answers of an original that is there no more."""
    name = conversion_label(asked.id, STAND_IN) if asked.is_stand_in else asked.id
    answers = find_reference(folders.references, msgspec.structs.replace(asked, id=name))
    if answers is None:
        raise missing
    terminal.note(f"{asked.id} is not here any more; its kept answers are.\n")
    return str(answers)


def _answers(request: RecordReference, folders: Folders) -> str:
    end = show_all(job.run(request, folders), StatusView(_underway))
    assert isinstance(end, ReferenceRecorded)  # noqa: S101 - the last event of answers that are kept
    return end.reference_folder


def _measured(request: MeasureFidelity, folders: Folders) -> FidelityResult:
    end = show_all(job.run(request, folders), StatusView(_underway))
    assert isinstance(end, FidelityMeasured)  # noqa: S101 - the last event of a measurement that did not fail
    return end.result


def _underway(event: JobEvent) -> str:
    match event:
        case ReferenceProgress(done=done, total=total):
            return f"The original reads: {done} of {total} chunks"
        case FidelityProgress(done=done, total=total, so_far=so_far):
            return f"{event.id}: {done} of {total} chunks, KL {so_far.mean_kl:.4f}"
        case _:
            return ""


def _tell(result: FidelityResult, *, json: bool) -> None:
    if json:
        fields = msgspec.to_builtins(result)
        write_json({**fields.pop("fidelity"), **fields})
        sys.stdout.flush()
    else:
        terminal.write("".join(f"{line}\n" for line in measure_view.lines(result)) + "\n")
