"""What surrounds the window: its log, errors that nobody caught, the display, one instance at a time."""

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
_ANSWER_MS = 2_000
"""How long the first instance may take to be reached."""

_QT_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}
_log = logging.getLogger("facet")


def start_log(folder: Path) -> None:
    """Log to `window.log` in `folder`; one grown large begins anew beside the old one.

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
    """Have Python's stack written to `crash.log` in `folder` if native code ends the process.

    Raises:
        OSError: the folder cannot be written.
    """
    _rotate(folder / "crash.log")
    faulthandler.enable((folder / "crash.log").open("a", encoding="utf-8"))


def catch_errors(tell: Callable[[str, str, str], None]) -> None:
    """Log every error that nobody caught, and call `tell` with title, message and details if it is the window's."""

    def caught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, traceback)
            return
        _log.critical("nobody caught this", exc_info=(kind, error, traceback))
        tell("Something went wrong", "Facet goes on. The log has the details.", f"{kind.__name__}: {error}")

    def caught_in_thread(told: threading.ExceptHookArgs) -> None:
        _log.critical("nobody caught this in a thread", exc_info=told.exc_value)

    sys.excepthook = caught
    threading.excepthook = caught_in_thread


def missing_display() -> str:
    """Return why no window can be shown, or nothing. Qt itself would abort."""
    platform = os.environ.get("QT_QPA_PLATFORM", "xcb")
    has_display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform != "linux" or has_display or not platform.startswith(("xcb", "wayland")):
        return ""
    return "There is no display to show a window on. Use the command line instead: facet chat --prompt TEXT"


class SingleInstance(QObject):
    """The right to be the only window on these data. `raised` is emitted when another instance was started."""

    raised = Signal()

    def __init__(self, folder: Path) -> None:
        """Try to take the right; `is_first` says whether that worked.

        Raises:
            OSError: the folder cannot be made.
        """
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self._socket_path = _socket_path(folder)
        self._lock = QLockFile(str(folder / "window.lock"))
        self._lock.setStaleLockTime(0)
        self.is_first = self._lock.tryLock(0)

    def listen(self) -> None:
        """Wait for other instances to call, from now on."""
        from PySide6.QtNetwork import QLocalServer  # noqa: PLC0415 - loads OpenSSL: not before the window is shown

        QLocalServer.removeServer(self._socket_path)
        self._server = QLocalServer(self)
        self._server.newConnection.connect(self._greet)
        if not self._server.listen(self._socket_path):
            _log.warning("other instances cannot raise this one: %s", self._server.errorString())

    def raise_first(self) -> bool:
        """Ask the first instance to show its window; return whether it could be reached."""
        from PySide6.QtNetwork import QLocalSocket  # noqa: PLC0415 - see above

        socket = QLocalSocket()
        socket.connectToServer(self._socket_path)
        reached = socket.waitForConnected(_ANSWER_MS)
        socket.disconnectFromServer()
        return reached

    def release(self) -> None:
        self._lock.unlock()

    def _greet(self) -> None:
        while connection := self._server.nextPendingConnection():
            connection.deleteLater()
            self.raised.emit()


def _socket_path(folder: Path) -> str:
    """Return a name that only windows on the same data share; the path itself may be too long for a socket."""
    import hashlib  # noqa: PLC0415 - costs as much as all the rest of this module

    return f"facet-{os.getuid()}-{hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]}"


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LARGEST_LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))


def _log_qt(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    logging.getLogger("qt").log(_QT_LEVELS[kind], "%s: %s", context.category, message)
