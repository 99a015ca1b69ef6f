"""What a study has found for other programs: JSON with everything, and the table as CSV."""

import csv
import io
from collections.abc import Sequence

import msgspec

from mlx_engine.measure.report.columns import AGREEMENTS, DISTRIBUTION, MAIN, Column
from mlx_engine.measure.report.subject import Subject
from mlx_engine.measure.report.summary import verdicts
from mlx_engine.measure.results.header import Header
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.measure.study.study import Study

SCHEMA = 1
"""Of the JSON; it changes when a field changes its meaning, not when one is added."""

_columns: Sequence[Column] = list({column.key: column for column in (*MAIN, *DISTRIBUTION, *AGREEMENTS)}.values())
_formula_starts = ("=", "+", "-", "@")


class Judged(msgspec.Struct, frozen=True):
    """`winner` is a label, None if no candidate passes; `obstacles` say why others do not."""

    winner: str | None
    obstacles: dict[str, tuple[str, ...]]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON. `study` has paths by their last part; `answers` is how the original's are kept, if they are."""

    schema: int = SCHEMA
    verdicts: dict[str, str]
    judgement: Judged | None
    answers: Header | None
    study: Study


def json(subject: Subject) -> bytes:
    """Return everything that is known, readable by people."""
    found = subject.judgement
    document = Document(
        verdicts={sample.key: words for sample, words in verdicts(subject)},
        judgement=Judged(found.winner.label if found.winner else None, found.obstacles) if found else None,
        answers=subject.header,
        study=subject.study,
    )
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def table(subject: Subject) -> str:
    """Return the figures as CSV, whole: sizes in bytes, times in seconds, KL in nats, shares from 0 to 1."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    errors = [f"{column.key}_se" for column in _columns]
    words = {sample.key: told for sample, told in verdicts(subject)}
    known = [error for error in errors if any(hasattr(sample.found, error) for sample in subject.samples)]
    writer.writerow(["model", "context_bits", *(column.key for column in _columns), *known, "verdict"])
    for sample in subject.samples:
        figures = [column.value(sample) for column in _columns]
        own = [None if sample.is_reference else getattr(sample.found, error, None) for error in known]
        name = name_cell(sample.row.label)
        writer.writerow([name, sample.cache_bits, *figures, *own, words.get(sample.key, "original")])
    return text.getvalue()


def name_cell(text: str, longest: int = 200) -> str:
    """Return a name in one line, so that spreadsheets take it for a text."""
    name = one_line(text, longest)
    return f"'{name}" if name.startswith(_formula_starts) else name
