"""Writes a report into a file, whole or not at all."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from mlx_engine.measure.chosen_file import write_chosen
from mlx_engine.measure.report import data
from mlx_engine.measure.report.html import html
from mlx_engine.measure.report.markdown import markdown
from mlx_engine.measure.report.subject import subject
from mlx_engine.measure.study import Study

Form = Literal["html", "markdown", "json", "csv"]

_content: Mapping[Form, Callable[[Study], bytes]] = {
    "html": lambda study: html(subject(study)).encode(),
    "markdown": lambda study: markdown(subject(study)).encode(),
    "json": lambda study: data.json(subject(study)),
    "csv": lambda study: data.table(subject(study)).encode(),
}


_endings: Mapping[Form, str] = {"html": "html", "markdown": "md", "json": "json", "csv": "csv"}


def file_name(study: Study, form: Form) -> str:
    """Return a name for the file that every disk takes: the study's, with the ending of the form."""
    stem = re.sub(r"[^\w.-]+", "-", study.plan.name).strip(".-")[:80]
    return f"{stem or 'study'}.{_endings[form]}"


def write(study: Study, form: Form, file: Path) -> None:
    """Write the report of `study` in that form to `file`, over one that is there.

    Raises:
        StorageError: there is no such folder, `file` is one, or it cannot be written.
    """
    write_chosen(file, _content[form](study))
