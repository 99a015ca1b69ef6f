"""Reports of the study that is shown, as files for others."""

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


class ReportExport(QObject):
    written = Signal(str)  # the path of the file
    problem = Signal(str, str)  # title, message

    def __init__(self, lab: Lab, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lab = lab
        self.with_texts = False
        """Whether a text of one's own is quoted where models are farthest apart."""
        lab.opened.connect(self._quote_nothing)

    @property
    def may_quote(self) -> bool:
        """Whether that is for the person to say: other texts are quoted, and past chats never are."""
        corpus = self._lab.study.plan.corpus if self._lab.study else None
        return corpus is not None and is_user_text(corpus) and not corpus.private

    def _quote_nothing(self) -> None:
        """What somebody wants of one study is not said of the next."""
        self.with_texts = False

    def suggestion(self, form: Form) -> str:
        """Return a name for the file, "" where no study is shown."""
        return file_name(self._lab.study, form) if self._lab.study else ""

    def write(self, form: Form, file: Path) -> None:
        """Write what is found so far of the study that is shown."""
        if self._lab.study is None:
            return
        try:
            write(self._lab.study, form, file, with_texts=self.with_texts)
        except FacetError as error:
            self.problem.emit("The report was not written", error.message)
        else:
            self.written.emit(str(file))
