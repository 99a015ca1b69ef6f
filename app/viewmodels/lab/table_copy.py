"""Lines of a study for the clipboard, as Markdown or CSV."""

from collections.abc import Sequence

from app.viewmodels.lab.lines import StudyLine
from mlx_engine.measure.figures.format import FigureColumn
from mlx_engine.measure.report.data import csv_table
from mlx_engine.measure.report.markdown import table


def as_markdown(lines: Sequence[StudyLine], columns: Sequence[FigureColumn]) -> str:
    """Return a table with the figures of the window, the verdict last."""
    head = ["Model", *(column.heading for column in columns), "Verdict"]
    rows = ([line.full_name, *(column.text(line.sample) for column in columns), _verdict(line)] for line in lines)
    return f"{table(head, rows)}\n"


def as_csv(lines: Sequence[StudyLine], columns: Sequence[FigureColumn]) -> str:
    """Return the figures unrounded, as in the CSV report."""
    return csv_table([(line.sample, _verdict(line)) for line in lines], [column.figure for column in columns])


def _verdict(line: StudyLine) -> str:
    return ". ".join(filter(None, (line.note, line.failure)))
