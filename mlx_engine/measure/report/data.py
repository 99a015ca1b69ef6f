"""Results of a study for other programs: everything as JSON, and the table as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from mlx_engine.measure.figures.figure import Figure
from mlx_engine.measure.figures.figures import ALL_FIGURES
from mlx_engine.measure.figures.sample import Sample
from mlx_engine.measure.report.subject import Subject
from mlx_engine.measure.report.summary import verdicts
from mlx_engine.measure.results.header import ReferenceHeader
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.measure.study.study import Study

SCHEMA = 1
"""Version of the JSON. It changes when a field changes its meaning, not when a field is added."""

_FORMULA_STARTS = ("=", "+", "-", "@")
_LONGEST_VERDICT = 4000
"""Characters; that of a failure includes what to do about it."""


class Judged(msgspec.Struct, frozen=True):
    """`best` is a label, None if no candidate passes; `obstacles` are the reasons why others do not."""

    best: str | None
    obstacles: dict[str, tuple[str, ...]]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON. Paths in `study` are reduced to file names; `reference` describes the stored predictions."""

    schema: int = SCHEMA
    verdicts: dict[str, str]
    judgement: Judged | None
    reference: ReferenceHeader | None
    study: Study


def json(subject: Subject) -> bytes:
    """Return all results as indented JSON."""
    judgement = subject.judgement
    best = judgement.best.label if judgement and judgement.best else None
    document = Document(
        verdicts={sample.key: verdict for sample, verdict in verdicts(subject)},
        judgement=Judged(best, judgement.obstacles) if judgement else None,
        reference=subject.header,
        study=subject.study,
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def table(subject: Subject) -> str:
    """Return all figures of a study as `csv_table` does."""
    by_key = {sample.key: verdict for sample, verdict in verdicts(subject)}
    return csv_table([(sample, by_key.get(sample.key, "original")) for sample in subject.samples], ALL_FIGURES)


def csv_table(rows: Iterable[tuple[Sample, str]], figures: Sequence[Figure]) -> str:
    """Return samples with their verdicts as CSV (RFC 4180), unrounded.

    Sizes are in bytes, times in seconds, KL in nats, shares from 0 to 1. A standard error is a column of its own.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["model", "context_bits", *(name for figure in figures for name in _names(figure)), "verdict"])
    for sample, verdict in rows:
        values = (value for figure in figures for value in _values(figure, sample))
        name = name_cell(sample.row.label)
        writer.writerow([name, sample.cache_bits, *values, name_cell(verdict, _LONGEST_VERDICT)])
    return text.getvalue()


def name_cell(text: str, longest: int = 200) -> str:
    """Return a name on one line, quoted so that a spreadsheet does not run it as a formula."""
    name = one_line(text, longest)
    return f"'{name}" if name.startswith(_FORMULA_STARTS) else name


def _names(figure: Figure) -> Iterator[str]:
    yield figure.key
    if figure.has_error:
        yield f"{figure.key}_se"


def _values(figure: Figure, sample: Sample) -> Iterator[float | None]:
    estimate = figure.measured(sample)
    yield estimate.value if estimate else None
    if figure.has_error:
        yield estimate.error if estimate else None
