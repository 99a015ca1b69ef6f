"""Loading a library in a thread of its own, so that the window does not stand still meanwhile."""

import logging
from collections.abc import Callable
from threading import Thread

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

_log = logging.getLogger(__name__)


class Aside(QObject):
    """Runs `work` once in a thread; `done` comes in the thread of this object. The process does not wait for it."""

    done = Signal()

    def __init__(self, work: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._work = work
        self._thread = Thread(target=self._run, name="facet-aside", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        """Return when the work is done; `done` comes later."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._work()
        except ImportError:
            _log.exception("A library of the transcript cannot be loaded")
        if isValid(self):
            self.done.emit()
