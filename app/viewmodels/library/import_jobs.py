"""The two ways in which a model is brought into the library: both tell how far they are, and how they ended."""

import threading
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, QProcess, Qt, Signal, Slot

from mlx_engine.child_command import child_command
from mlx_engine.errors import FacetError
from mlx_engine.models.library.copying import copy_model


class ImportJob(QObject):
    """`ended` is told once, with the sentence of what went wrong, or an empty one."""

    progressed = Signal(object, object)  # done and total bytes: more than the 32 bits of a signal's int
    ended = Signal(str)

    def start(self, source: Path, target: Path) -> None:
        raise NotImplementedError

    def cancel(self) -> None:
        """Give up, and leave nothing behind unless all is done already; nothing is told any more."""
        raise NotImplementedError


class GGUFImport(ImportJob):
    """A child process unpacks and packs anew, so that neither numpy nor the work is in this one."""

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
        self.ended.emit((self._problem or "The import failed. The log has the details.") if exit_code else "")

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.ended.emit(f"The import could not be started: {self._process.errorString()}.")


class FolderCopy(ImportJob):
    """A thread copies the files."""

    _went_on = Signal(object, object)  # bytes, from the thread
    _told = Signal(str)  # from the thread

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None
        self._went_on.connect(self._go_on, Qt.ConnectionType.QueuedConnection)
        self._told.connect(self._finish, Qt.ConnectionType.QueuedConnection)

    def start(self, source: Path, target: Path) -> None:
        self._thread = threading.Thread(target=self._run, args=(source, target), name="copy of a model", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        self._cancelled.set()
        if self._thread:
            self._thread.join()

    def _run(self, source: Path, target: Path) -> None:
        try:
            for progress in copy_model(source, target):
                if self._cancelled.is_set():
                    return
                self._went_on.emit(progress.done_bytes, progress.total_bytes)
        except FacetError as error:
            self._told.emit(error.message)
        else:
            self._told.emit("")

    @Slot(object, object)
    def _go_on(self, done_bytes: int, total_bytes: int) -> None:
        if not self._cancelled.is_set():
            self.progressed.emit(done_bytes, total_bytes)

    @Slot(str)
    def _finish(self, problem: str) -> None:
        if not self._cancelled.is_set():
            self.ended.emit(problem)
