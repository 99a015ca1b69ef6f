"""Reports of the study that is shown, as files for others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.lab import Lab
from mlx_engine.errors import FacetError
from mlx_engine.measure.report.files import Form, file_name, write


@dataclass(frozen=True, slots=True)
class ReportKind:
    """`title` stands in a menu, `filter` in the dialog that asks where to."""

    form: Form
    title: str
    filter: str


KINDS: Sequence[ReportKind] = (
    ReportKind("html", "Web Page…", "Web pages (*.html)"),
    ReportKind("markdown", "Markdown…", "Markdown (*.md)"),
    ReportKind("csv", "Table as CSV…", "CSV (*.csv)"),
    ReportKind("json", "Everything as JSON…", "JSON (*.json)"),
)


class LabExport(QObject):
    written = Signal(str)  # the path of the file
    problem = Signal(str, str)  # title, message

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lab = lab

    def suggestion(self, form: Form) -> str:
        """Return a name for the file, "" where no study is shown."""
        return file_name(self._lab.study, form) if self._lab.study else ""

    def write(self, form: Form, file: Path) -> None:
        """Write what is found so far of the study that is shown."""
        if self._lab.study is None:
            return
        try:
            write(self._lab.study, form, file)
        except FacetError as error:
            self.problem.emit("The report was not written", error.message)
        else:
            self.written.emit(str(file))
