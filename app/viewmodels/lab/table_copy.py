"""Lines of a study as text for elsewhere: a table in Markdown, or CSV."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from app.viewmodels.lab.columns import Column, SortKey
from app.viewmodels.lab.lines import Line
from mlx_engine.measure.report.data import name_cell
from mlx_engine.measure.report.markdown import escaped

_NAMES: Mapping[str, str] = {
    "size": "size_bytes",
    "bits": "bits_per_weight",
    "top1": "top1_agreement",
    "first_token": "first_token_s",
    "load": "load_s",
    "peak": "peak_memory_bytes",
}
"""What columns are called in reports, where that is not what they are called in the settings."""
_LONGEST = 4000
"""Characters of a verdict: of a failure, too, it is told what to do."""


def as_markdown(lines: Sequence[Line], columns: Sequence[Column]) -> str:
    """Return a table with the same figures as the window's, and the verdict last."""
    head = [*(column.heading for column in columns), "Verdict"]
    rule = [*("---:" if column.is_figure else "---" for column in columns), "---"]
    body = ([*(_text(column, line) for column in columns), _verdict(line)] for line in lines)
    return "".join(f"| {' | '.join(map(escaped, cells))} |\n" for cells in (head, rule, *body))


def as_csv(lines: Sequence[Line], columns: Sequence[Column]) -> str:
    """Return whole numbers and full precision, for programs, as RFC 4180 has it, under the names that reports have.

    Sizes are in bytes, times in seconds, KL in nats, shares from 0 to 1; standard errors have columns of their own.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*(name for column in columns for name in _names(column)), "verdict"])
    for line in lines:
        figures = (value for column in columns for value in _values(column, line))
        writer.writerow([*figures, name_cell(_verdict(line), _LONGEST)])
    return text.getvalue()


def _names(column: Column) -> Iterator[str]:
    if not column.is_figure:
        yield from ("model", "context_bits")
        return
    name = _NAMES.get(column.name, column.name)
    yield name
    if column.error:
        yield f"{name}_se"


def _values(column: Column, line: Line) -> Iterator[SortKey]:
    if not column.is_figure:
        yield from (name_cell(line.row.label), line.bits)
        return
    yield column.key(line)
    if column.error:
        yield column.error(line)


def _verdict(line: Line) -> str:
    return ". ".join(filter(None, (line.note, line.failure)))


def _text(column: Column, line: Line) -> str:
    return column.text(line) if column.is_figure else line.full_name
