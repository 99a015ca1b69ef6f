"""Writes a report into a file, whole or not at all."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from mlx_engine.measure.report import data
from mlx_engine.measure.report.html import html
from mlx_engine.measure.report.markdown import markdown
from mlx_engine.measure.report.subject import Subject, subject
from mlx_engine.measure.results.output_file import write_output
from mlx_engine.measure.study.study import Study

Form = Literal["html", "markdown", "json", "csv"]

_content: Mapping[Form, Callable[[Subject], bytes]] = {
    "html": lambda subject: html(subject).encode(),
    "markdown": lambda subject: markdown(subject).encode(),
    "json": data.json,
    "csv": lambda subject: data.table(subject).encode(),
}
_endings: Mapping[Form, str] = {"html": "html", "markdown": "md", "json": "json", "csv": "csv"}


def file_name(study: Study, form: Form) -> str:
    """Return a name for the file that every disk takes: the study's, with the ending of the form."""
    stem = re.sub(r"[^\w.-]+", "-", study.plan.name).strip(".-")[:80]
    return f"{stem or 'study'}.{_endings[form]}"


def write(study: Study, form: Form, file: Path, *, with_texts: bool = False) -> None:
    """Write the report of `study` in that form to `file`, over one that is there.

    A text of one's own is quoted only `with_texts`.

    Raises:
        StorageError: there is no such folder, `file` is one, or it cannot be written.
    """
    write_output(file, _content[form](subject(study, with_texts=with_texts)))
