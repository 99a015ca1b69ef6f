"""Queue of models that are being added to the library, one at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.library.import_jobs import FolderCopy, GGUFImport, ImportJob
from mlx_engine.models.gguf.files import is_gguf, model_name, sole_model

OWNER = "imported"
"""Owner of models whose author is unknown; the name of their folder."""


@dataclass(frozen=True, slots=True)
class QueuedImport:
    """A running or waiting import; `total_bytes` is 0 until known."""

    source: Path
    done_bytes: int = 0
    total_bytes: int = 0

    @property
    def name(self) -> str:
        return model_name(self.source) if is_gguf(self.source) else self.source.name


class ModelImports(QObject):
    """Imports models into `models_folder`; the first in `queue` is running."""

    changed = Signal()
    imported = Signal(str)  # the id of the model
    problem = Signal(str, str)  # title, message

    def __init__(self, models_folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder = models_folder
        self._queue: list[QueuedImport] = []
        self._job: ImportJob | None = None

    @property
    def queue(self) -> Sequence[QueuedImport]:
        return self._queue

    def add(self, paths: Iterable[Path]) -> None:
        """Import folders and GGUF files; emit `problem` for each path that is neither."""
        for path in paths:
            source = _only_gguf(path) or path
            if refusal := self._refusal(source):
                self.problem.emit(f"Couldn't add {path.name}", refusal)
            else:
                self._queue.append(QueuedImport(source))
        self._start_next()

    def cancel(self, source: Path) -> None:
        """Cancel the import of `source` and remove a partial copy; a finished model is kept."""
        if self._job and self._queue[0].source == source:
            self._job.cancel()
            self._drop_job()
        else:
            self._queue = [item for item in self._queue if item.source != source]
        self._start_next()

    def close(self) -> None:
        """Cancel all imports."""
        del self._queue[1:]
        if self._job:
            self._job.cancel()
            self._drop_job()

    def _refusal(self, source: Path) -> str:
        if any(item.source == source for item in self._queue):
            return "This model is already being added."
        if source.is_dir():
            is_in_library = source.absolute().is_relative_to(self._folder.absolute())
            return "This model is already in your library." if is_in_library else ""
        if is_gguf(source) and source.is_file():
            return ""
        return "Facet can add model folders in MLX or safetensors format, and GGUF files."

    def _start_next(self) -> None:
        if self._queue and self._job is None:
            first = self._queue[0]
            self._job = GGUFImport(self) if first.source.is_file() else FolderCopy(self)
            self._job.progressed.connect(self._on_progress)
            self._job.ended.connect(self._on_ended)
            self._job.start(first.source, self._folder / OWNER / first.name)
        self.changed.emit()

    def _on_progress(self, done_bytes: int, total_bytes: int) -> None:
        self._queue[0] = replace(self._queue[0], done_bytes=done_bytes, total_bytes=total_bytes)
        self.changed.emit()

    def _on_ended(self, problem: str) -> None:
        name = self._queue[0].name
        self._drop_job()
        if problem:
            self.problem.emit(f"Couldn't add {name}", problem)
        else:
            self.imported.emit(f"{OWNER}/{name}")
        self._start_next()

    def _drop_job(self) -> None:
        if self._job:
            self._job.deleteLater()
        self._job = None
        del self._queue[0]


def may_be_model(path: Path) -> bool:
    """Return True for a folder or a GGUF file."""
    return path.is_dir() or is_gguf(path)


def _only_gguf(path: Path) -> Path | None:
    """Return the GGUF file in the folder `path` if it is the only model there, or None."""
    if not path.is_dir() or any(path.glob("*.safetensors")):
        return None
    return sole_model(path)
