"""Writes a report to a file, atomically."""

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
_extensions: Mapping[Form, str] = {"html": "html", "markdown": "md", "json": "json", "csv": "csv"}


def file_name(study: Study, form: Form) -> str:
    """Return a file name that is valid on every disk: the name of the study with the extension of `form`."""
    stem = re.sub(r"[^\w.-]+", "-", study.plan.name).strip(".-")[:80]
    return f"{stem or 'study'}.{_extensions[form]}"


def write(study: Study, form: Form, file: Path, *, with_texts: bool = False) -> None:
    """Write the report of `study` to `file`, replacing an existing one.

    The user's texts are quoted only if `with_texts` is true.

    Raises:
        StorageError: the folder does not exist, `file` is a folder, or it cannot be written.
    """
    write_output(file, _content[form](subject(study, with_texts=with_texts)))
