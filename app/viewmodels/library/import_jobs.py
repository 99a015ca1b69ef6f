"""Jobs that add a model to the library: import of a GGUF file, copy of a folder."""

import threading
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, QProcess, Qt, Signal, Slot

from mlx_engine.child_command import child_command
from mlx_engine.errors import FacetError
from mlx_engine.models.library.copying import copy_model


class ImportJob(QObject):
    """A job with progress. `ended` is emitted once, with the reason of a failure or ""."""

    progressed = Signal(object, object)  # done and total bytes; a signal's int has only 32 bits
    ended = Signal(str)

    def start(self, source: Path, target: Path) -> None:
        raise NotImplementedError

    def cancel(self) -> None:
        """Stop, remove a partial copy, and emit nothing more. A finished model is kept."""
        raise NotImplementedError


class GGUFImport(ImportJob):
    """Import in a child process, which keeps numpy and the work out of the window's process."""

    class _Line(msgspec.Struct):
        done_bytes: int = 0
        total_bytes: int = 0
        message: str = ""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._problem = ""
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._fail)

    def start(self, source: Path, target: Path) -> None:
        program, *arguments = child_command("import-gguf", str(source), str(target), "--origin", source.name)
        self._process.start(program, arguments)

    def cancel(self) -> None:
        self._process.blockSignals(True)
        self._process.kill()
        self._process.waitForFinished()

    def _read(self) -> None:
        while self._process.canReadLine():
            line = msgspec.json.decode(bytes(self._process.readLine().data()), type=self._Line)
            self._problem = line.message
            if not line.message:
                self.progressed.emit(line.done_bytes, line.total_bytes)

    def _finish(self, exit_code: int) -> None:
        self._read()
        self.ended.emit((self._problem or "The import failed. See the log for details.") if exit_code else "")

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.ended.emit(f"Couldn't start the import: {self._process.errorString()}.")


class FolderCopy(ImportJob):
    """Copy of a folder in a thread."""

    _copied = Signal(object, object)  # done and total bytes, from the thread
    _completed = Signal(str)  # problem, from the thread

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canceled = threading.Event()
        self._thread: threading.Thread | None = None
        self._copied.connect(self._on_progress, Qt.ConnectionType.QueuedConnection)
        self._completed.connect(self._finish, Qt.ConnectionType.QueuedConnection)

    def start(self, source: Path, target: Path) -> None:
        self._thread = threading.Thread(target=self._run, args=(source, target), name="model copy", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        self._canceled.set()
        if self._thread:
            self._thread.join()

    def _run(self, source: Path, target: Path) -> None:
        try:
            for progress in copy_model(source, target):
                if self._canceled.is_set():
                    return
                self._copied.emit(progress.done_bytes, progress.total_bytes)
        except FacetError as error:
            self._completed.emit(error.message)
        else:
            self._completed.emit("")

    @Slot(object, object)
    def _on_progress(self, done_bytes: int, total_bytes: int) -> None:
        if not self._canceled.is_set():
            self.progressed.emit(done_bytes, total_bytes)

    @Slot(str)
    def _finish(self, problem: str) -> None:
        if not self._canceled.is_set():
            self.ended.emit(problem)
