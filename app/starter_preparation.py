"""Installs the starter model in a child process while the window is in use."""

from PySide6.QtCore import QObject, QProcess, Signal

from mlx_engine.child_command import child_command
from mlx_engine.folders import Folders
from mlx_engine.models.library.starter import is_installed, starter_gguf


class StarterPreparation(QObject):
    """`ended` carries the error message, or an empty string on success."""

    ended = Signal(str)

    def __init__(self, folders: Folders, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folders = folders
        self._process = QProcess(self)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(lambda _error: self.ended.emit(self._process.errorString()))

    def start(self) -> bool:
        """Start the process if the model is missing and its source is available; return whether it was started."""
        if is_installed(self._folders) or starter_gguf() is None:
            return False
        program, *arguments = child_command("prepare")
        self._process.start(program, arguments)
        return True

    def close(self) -> None:
        """End the process. An unfinished model is not installed; the next run starts over."""
        self._process.blockSignals(True)
        self._process.kill()
        self._process.waitForFinished()

    def _on_finished(self, exit_code: int) -> None:
        errors = bytes(self._process.readAllStandardError().data()).decode(errors="replace").strip()
        self.ended.emit(errors.rpartition("\n")[2] or "The child process failed." if exit_code else "")
