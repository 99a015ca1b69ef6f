"""Exports reports of the open study."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.lab.studies import Lab
from mlx_engine.errors import FacetError
from mlx_engine.measure.report.files import Form, file_name, write
from mlx_engine.measure.report.shareable import is_user_text


@dataclass(frozen=True, slots=True)
class ReportKind:
    """A format with its menu title and the filter of the save dialog."""

    form: Form
    title: str
    filter: str


KINDS: Sequence[ReportKind] = (
    ReportKind("html", "Web Page…", "Web pages (*.html)"),
    ReportKind("markdown", "Markdown…", "Markdown (*.md)"),
    ReportKind("csv", "Table as CSV…", "CSV (*.csv)"),
    ReportKind("json", "Everything as JSON…", "JSON (*.json)"),
)


class ReportExport(QObject):
    """Writes reports of the open study to files."""

    written = Signal(str)  # the path of the file
    problem = Signal(str, str)  # title, message

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self.with_texts = False
        """Whether the report quotes the user's text at the positions with the largest divergence."""
        lab.opened.connect(self._reset)

    @property
    def can_quote(self) -> bool:
        """True if the user decides on quotes. Public texts are always quoted, past chats never."""
        corpus = self._lab.study.plan.corpus if self._lab.study else None
        return corpus is not None and is_user_text(corpus) and not corpus.private

    def _reset(self) -> None:
        """Ask again for each study."""
        self.with_texts = False

    def suggested_name(self, form: Form) -> str:
        """Return a file name, "" if no study is open."""
        return file_name(self._lab.study, form) if self._lab.study else ""

    def write(self, form: Form, file: Path) -> None:
        """Write a report with the results of the open study so far."""
        if self._lab.study is None:
            return
        try:
            write(self._lab.study, form, file, with_texts=self.with_texts)
        except FacetError as error:
            self.problem.emit("Couldn't save the report", error.message)
        else:
            self.written.emit(str(file))
