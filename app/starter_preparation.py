"""The starter model, made ready by a child process while the window is used already."""

from PySide6.QtCore import QObject, QProcess, Signal

from mlx_engine.engine.parents.client import worker_command
from mlx_engine.folders import Folders
from mlx_engine.models.library.starter import is_installed, starter_gguf


class StarterPreparation(QObject):
    """`ended` tells what went wrong, or an empty text."""

    ended = Signal(str)

    def __init__(self, folders: Folders, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folders = folders
        self._process = QProcess(self)
        self._process.finished.connect(self._end)
        self._process.errorOccurred.connect(lambda _error: self.ended.emit(self._process.errorString()))

    def start(self) -> bool:
        """Begin, if the model is missing and there is something to make it of; return whether that is so."""
        if is_installed(self._folders) or starter_gguf() is None:
            return False
        program, *arguments = worker_command()[:-1]
        self._process.start(program, [*arguments, "prepare"])
        return True

    def close(self) -> None:
        """Give up; what is half done is no model yet and is done anew the next time."""
        self._process.blockSignals(True)
        self._process.kill()
        self._process.waitForFinished()

    def _end(self, exit_code: int) -> None:
        last_words = bytes(self._process.readAllStandardError().data()).decode(errors="replace").strip()
        self.ended.emit(last_words.rpartition("\n")[2] or "The child process failed." if exit_code else "")
