"""Writes a report into a file, whole or not at all."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from mlx_engine.errors import StorageError
from mlx_engine.measure.report import data
from mlx_engine.measure.report.html import html
from mlx_engine.measure.report.markdown import markdown
from mlx_engine.measure.report.subject import subject
from mlx_engine.measure.study import Study
from mlx_engine.models.staging import storage_errors

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
    with storage_errors(file):
        _check(file)
        partial = file.with_name(f"{file.name}.partial")
        try:
            partial.write_bytes(_content[form](study))
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)


def _check(file: Path) -> None:
    if not file.parent.is_dir():
        raise StorageError(f"There is no folder {file.parent}. Make it, or choose another.")
    if file.is_dir():
        raise StorageError(f"{file} is a folder. Name a file in it.")
    if not os.access(file.parent, os.W_OK):
        raise StorageError(f"Facet may not write in {file.parent}. Choose another folder.")
