"""Loads a library in a thread, so that the window stays responsive."""

import logging
from collections.abc import Callable
from threading import Thread

from PySide6.QtCore import QObject, Signal

_log = logging.getLogger(__name__)


class _Messenger(QObject):
    """Emits the end of the work from its thread, which keeps it alive: the loader may be deleted at any time."""

    done = Signal()


class LibraryLoader(QObject):
    """Runs `work` once in a daemon thread. `done` is emitted in the thread of this object."""

    done = Signal()

    def __init__(self, work: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        messenger = _Messenger()
        messenger.done.connect(self.done)
        self._thread = Thread(target=_run, args=(work, messenger), name="facet-library-loader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        """Block until the work is done; `done` is emitted later."""
        self._thread.join()


def _run(work: Callable[[], object], messenger: _Messenger) -> None:
    try:
        work()
    except ImportError:
        _log.exception("Couldn't load a library of the transcript")
    messenger.done.emit()
