"""`facet measure`: says how far quantizations are from their original."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli import job, terminal
from mlx_engine.cli.corpora import check, chosen, here
from mlx_engine.cli.failure import FAILED, report
from mlx_engine.cli.json_lines import write_json
from mlx_engine.cli.roots import AddedFolders, roots
from mlx_engine.errors import FacetError, ModelNotFound
from mlx_engine.folders import Folders
from mlx_engine.measure.convention import Convention, Scored
from mlx_engine.measure.kept_answers import find
from mlx_engine.measure.messages import (
    TAIL_MASS,
    AnswersKept,
    AnswersUnderway,
    FidelityMeasured,
    FidelityUnderway,
    KeepAnswers,
    MeasureFidelity,
)
from mlx_engine.measure.results import FidelityResult
from mlx_engine.measure.study_file import STAND_IN, conversion_label
from mlx_engine.measure.words import plus_minus, verdict
from mlx_engine.models import library
from mlx_engine.models.description import ModelDescription
from mlx_engine.protocol import CacheBits
from mlx_engine.quantize import builtin
from mlx_engine.quantize.messages import Convert


def measure(  # noqa: PLR0913 - options
    original: str,
    candidates: Annotated[tuple[str, ...], Parameter(negative=())],
    /,
    *,
    corpus: str = "facet",
    tokens: int = 8192,
    chunk: int = 512,
    scored: Scored = "second half",
    cache_bits: CacheBits = 16,
    tail: float = TAIL_MASS,
    stand_in: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    folder: AddedFolders = (),
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Measure how far quantizations are from their original.

    The original reads a text once, and what it says is kept; each candidate is then held against that, with one model
    in memory at a time. A later run needs the original no more. Control-C stops it; the same command goes on.

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
    folders = Folders.from_environment()
    paths = {name: library.find_any(roots(folder), name).path for name in candidates}
    convention, text = Convention(chunk_tokens=chunk, scored=scored), chosen(corpus)
    asked = KeepAnswers(
        id=original, model=original, corpus=text, convention=convention, limit_tokens=tokens, tail_mass=tail
    )
    try:
        model = library.find_among(roots(folder), original)
    except ModelNotFound as error:
        answers = _kept(asked, folders, error)
    else:
        check(text, folders)
        label, path = _stand_in(model, folders) if stand_in else (original, model.path)
        asked = msgspec.structs.replace(
            asked, id=label, model=str(path), corpus=here(text, folders), is_stand_in=stand_in
        )
        answers = _answers(asked, folders)
    failed = False
    for name, candidate in paths.items():
        request = MeasureFidelity(id=name, model=str(candidate), answers=answers, cache_bits=cache_bits)
        try:
            result = _measured(request, folders)
        except FacetError as error:
            failed = True
            report(f"{name}: {error.message}")
            if json:
                write_json({"candidate": name, "error": error.title, "message": error.message})
        else:
            _tell(result, json=json)
    return FAILED if failed else 0


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


def _kept(asked: KeepAnswers, folders: Folders, missing: ModelNotFound) -> str:
    """Return the folder with the answers of an original that is there no more."""
    answers = find(folders.answers, asked)
    if answers is None:
        raise missing
    terminal.note(f"{asked.id} is not here any more; its kept answers are.\n")
    return str(answers)


def _answers(request: KeepAnswers, folders: Folders) -> str:
    status = terminal.StatusLine()
    try:
        for event in job.run(request, folders):
            match event:
                case AnswersUnderway():
                    status.show(f"The original reads: {event.done} of {event.total} chunks")
                case AnswersKept():
                    return event.answers
    finally:
        status.clear()
    raise AssertionError


def _measured(request: MeasureFidelity, folders: Folders) -> FidelityResult:
    status = terminal.StatusLine()
    try:
        for event in job.run(request, folders):
            match event:
                case FidelityUnderway():
                    status.show(f"{request.id}: {event.done} of {event.total} chunks, KL {event.so_far.mean_kl:.4f}")
                case FidelityMeasured():
                    return event.result
    finally:
        status.clear()
    raise AssertionError


def _tell(result: FidelityResult, *, json: bool) -> None:
    if json:
        fields = msgspec.to_builtins(result)
        write_json({**fields.pop("fidelity"), **fields})
    else:
        terminal.write("".join(f"{line}\n" for line in _lines(result)))


def _lines(result: FidelityResult) -> Iterator[str]:
    found = result.fidelity
    yield f"{result.candidate} against {result.reference}"
    if result.is_stand_in:
        yield "  The reference is a stand-in for the original: take the divergence as a lower bound."
    yield f"  KL          mean {plus_minus(found.mean_kl, found.mean_kl_se, 4)}, median {found.median_kl:.4f}, " + (
        f"p99 {found.p99_kl:.3f}, max {found.max_kl:.2f} (nats; rounding and tails change the mean by less than "
        f"{found.kl_error_bound:.1g})"
    )
    agreement = plus_minus(100 * found.top1_agreement, _percent(found.top1_agreement_se), 1)
    yield f"  same choice {agreement} %, {found.flips:,} of {found.positions:,} positions differ"
    yield f"  perplexity  {plus_minus(found.perplexity, found.perplexity_se, 3)}, of the original " + plus_minus(
        found.reference_perplexity, found.reference_perplexity_se, 3
    )
    yield f"  ln(ratio)   {plus_minus(found.log_perplexity_ratio, found.log_perplexity_ratio_se, 4)}"
    for kind, own in result.by_kind.items():
        yield f"    {kind:<14} KL {plus_minus(own.mean_kl, own.mean_kl_se, 4)}, same choice {own.top1_agreement:.1%}"
    yield f"  {result.convention}; {verdict(found)}."


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
