"""What is being brought into the library, one after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.library.import_jobs import FolderCopy, GGUFImport, ImportJob

OWNER = "imported"
"""The folder below which models stand whose maker is not known."""


@dataclass(frozen=True, slots=True)
class Import:
    """One that runs or waits; `total_bytes` is 0 until it is known."""

    source: Path
    done_bytes: int = 0
    total_bytes: int = 0

    @property
    def name(self) -> str:
        return self.source.stem if self.source.suffix == ".gguf" else self.source.name


class ModelImports(QObject):
    """`queue` begins with the import that runs."""

    changed = Signal()
    imported = Signal(str)  # the id of the model
    problem = Signal(str, str)  # title, message

    def __init__(self, models_folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = models_folder
        self._waiting: list[Import] = []
        self._job: ImportJob | None = None

    @property
    def queue(self) -> Sequence[Import]:
        return self._waiting

    def add(self, paths: Iterable[Path]) -> None:
        """Import each of the folders and GGUF files; what is neither is told as a problem."""
        for path in paths:
            source = _sole_gguf(path) or path
            if refusal := self._refusal(source):
                self.problem.emit(f"{path.name} was not added", refusal)
            else:
                self._waiting.append(Import(source))
        self._go_on()

    def cancel(self, source: Path) -> None:
        """Give up the import of `source`; nothing of it stays, unless the whole of it is there already."""
        if self._job and self._waiting[0].source == source:
            self._job.cancel()
            self._drop_job()
        else:
            self._waiting = [waiting for waiting in self._waiting if waiting.source != source]
        self._go_on()

    def close(self) -> None:
        """Give up everything."""
        del self._waiting[1:]
        if self._job:
            self._job.cancel()
            self._drop_job()

    def _refusal(self, source: Path) -> str:
        if any(waiting.source == source for waiting in self._waiting):
            return "It is being added already."
        if source.is_dir():
            is_here = source.absolute().is_relative_to(self._folder.absolute())
            return "It is among Facet's models already." if is_here else ""
        if source.suffix == ".gguf" and source.is_file():
            return ""
        return "Facet adds folders in MLX or safetensors format, and GGUF files."

    def _go_on(self) -> None:
        if self._waiting and self._job is None:
            first = self._waiting[0]
            self._job = GGUFImport(self) if first.source.is_file() else FolderCopy(self)
            self._job.progressed.connect(self._follow)
            self._job.ended.connect(self._end)
            self._job.start(first.source, self._folder / OWNER / first.name)
        self.changed.emit()

    def _follow(self, done_bytes: int, total_bytes: int) -> None:
        self._waiting[0] = replace(self._waiting[0], done_bytes=done_bytes, total_bytes=total_bytes)
        self.changed.emit()

    def _end(self, problem: str) -> None:
        name = self._waiting[0].name
        self._drop_job()
        if problem:
            self.problem.emit(f"{name} was not added", problem)
        else:
            self.imported.emit(f"{OWNER}/{name}")
        self._go_on()

    def _drop_job(self) -> None:
        if self._job:
            self._job.deleteLater()
        self._job = None
        del self._waiting[0]


def _sole_gguf(path: Path) -> Path | None:
    """Return the GGUF file that is all there is of a model in the folder `path`, or None."""
    if not path.is_dir() or any(path.glob("*.safetensors")):
        return None
    found = list(path.glob("*.gguf"))
    return found[0] if len(found) == 1 else None
