"""Loads a library in a thread, so that the window stays responsive."""

import logging
from collections.abc import Callable
from threading import Thread

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

_log = logging.getLogger(__name__)


class LibraryLoader(QObject):
    """Runs `work` once in a daemon thread. `done` is emitted in the thread of this object."""

    done = Signal()

    def __init__(self, work: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._work = work
        self._thread = Thread(target=self._run, name="facet-library-loader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        """Block until the work is done; `done` is emitted later."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        except ImportError:
            _log.exception("Couldn't load a library of the transcript")
        if isValid(self):
            self.done.emit()
