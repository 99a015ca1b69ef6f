"""Environment of the window: its log, uncaught errors, the display, and a single instance."""

import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QLockFile, QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

_LARGEST_LOG_BYTES = 1_000_000
_CONNECT_MS = 2_000
"""Time limit for reaching the first instance."""

_QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_log = logging.getLogger("facet")


def start_log(folder: Path) -> None:
    """Log to `window.log` in `folder`. A large log is kept under another name, and a new one is started.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _rotate(folder / "window.log")
    logging.basicConfig(
        filename=folder / "window.log",
        encoding="utf-8",
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    qInstallMessageHandler(_log_qt)


def record_crashes(folder: Path) -> None:
    """Write Python's stack to `crash.log` in `folder` if native code ends the process.

    Raises:
        OSError: the folder cannot be written.
    """
    _rotate(folder / "crash.log")
    faulthandler.enable((folder / "crash.log").open("a", encoding="utf-8"))


def catch_errors(show_error: Callable[[str, str, str], None]) -> None:
    """Log every uncaught error; for those of the main thread, call `show_error` with title, message and details."""

    def on_error(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, traceback)
            return
        _log.critical("uncaught error", exc_info=(kind, error, traceback))
        show_error(
            "Something went wrong", "Facet is still running. See the log for details.", f"{kind.__name__}: {error}"
        )

    def on_thread_error(args: threading.ExceptHookArgs) -> None:
        _log.critical("uncaught error in a thread", exc_info=args.exc_value)

    sys.excepthook = on_error
    threading.excepthook = on_thread_error


def missing_display() -> str:
    """Return the reason that no window can be shown, or "". Qt itself would abort."""
    platform = os.environ.get("QT_QPA_PLATFORM", "xcb")
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform != "linux" or has_display or not platform.startswith(("xcb", "wayland")):
        return ""
    return "No display is available. Use the command line instead: facet chat --prompt TEXT"


class SingleInstance(QObject):
    """Lock that makes this the only window on its data. Another instance that starts makes it emit `raised`."""

    raised = Signal()

    def __init__(self, folder: Path) -> None:
        """Try to take the lock; `is_first` is the result.

        Raises:
            OSError: the folder cannot be created.
        """
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self._socket_path = _socket_path(folder)
        self._lock = QLockFile(str(folder / "window.lock"))
        self._lock.setStaleLockTime(0)
        self.is_first = self._lock.tryLock(0)

    def listen(self) -> None:
        """Start to listen for other instances."""
        from PySide6.QtNetwork import QLocalServer  # noqa: PLC0415 - loads OpenSSL, so only after the window appears

        QLocalServer.removeServer(self._socket_path)
        self._server = QLocalServer(self)
        self._server.newConnection.connect(self._on_connection)
        if not self._server.listen(self._socket_path):
            _log.warning("other instances cannot raise this one: %s", self._server.errorString())

    def raise_first(self) -> bool:
        """Ask the first instance to show its window, and return whether it was reached."""
        from PySide6.QtNetwork import QLocalSocket  # noqa: PLC0415 - see above

        socket = QLocalSocket()
        socket.connectToServer(self._socket_path)
        is_connected = socket.waitForConnected(_CONNECT_MS)
        socket.disconnectFromServer()
        return is_connected

    def release(self) -> None:
        self._lock.unlock()

    def _on_connection(self) -> None:
        while connection := self._server.nextPendingConnection():
            connection.deleteLater()
            self.raised.emit()


def _socket_path(folder: Path) -> str:
    """Return a name shared only by windows on the same data. The path itself may be too long for a socket."""
    import hashlib  # noqa: PLC0415 - takes as long to load as the rest of this module

    return f"facet-{os.getuid()}-{hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]}"


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))


def _log_qt(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    logging.getLogger("qt").log(_QT_LEVELS[kind], "%s: %s", context.category, message)
