"""Lines of a study as text for elsewhere: a table in Markdown, or CSV."""

import csv
import io
from collections.abc import Sequence

from app.viewmodels.lab_columns import Column
from app.viewmodels.lab_lines import Line
from mlx_engine.measure.report.data import name_cell
from mlx_engine.measure.report.markdown import escaped


def as_markdown(lines: Sequence[Line], columns: Sequence[Column]) -> str:
    """Return a table with the same figures as the window's, and the verdict last."""
    head = [*(column.title for column in columns), "Verdict"]
    rule = [*("---:" if column.is_figure else "---" for column in columns), "---"]
    body = ([*(_text(column, line) for column in columns), line.note] for line in lines)
    return "".join(f"| {' | '.join(map(escaped, cells))} |\n" for cells in (head, rule, *body))


def as_csv(lines: Sequence[Line], columns: Sequence[Column]) -> str:
    """Return whole numbers and full precision, for programs; sizes are in bytes, times in seconds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(column.name for column in columns), "verdict"])
    for line in lines:
        writer.writerow([*(_value(column, line) for column in columns), line.note])
    return text.getvalue()


def _text(column: Column, line: Line) -> str:
    return column.text(line) if column.is_figure else line.full_name


def _value(column: Column, line: Line) -> float | str:
    value = column.key(line) if column.is_figure else name_cell(line.full_name)
    return "" if value is None else value
