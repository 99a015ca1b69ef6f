"""Loading libraries in a thread."""

import threading

from PySide6.QtCore import QObject, QThread
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from app.views.transcript.library_loader import LibraryLoader


def test_the_end_of_the_work_arrives_in_the_thread_of_the_window(qtbot: QtBot, qapp: QObject) -> None:
    owner, threads = QObject(), []
    loader = LibraryLoader(lambda: None, owner)
    loader.done.connect(lambda: threads.append(QThread.currentThread()))
    with qtbot.waitSignal(loader.done):
        loader.start()
    assert threads == [qapp.thread()]


def test_the_loader_can_be_deleted_while_it_works(qapp: QObject) -> None:
    """Closing a window does not wait for a library."""
    owner, may_end = QObject(), threading.Event()
    loader = LibraryLoader(lambda: may_end.wait(20), owner)
    thread = loader._thread
    loader.start()
    delete(owner)
    may_end.set()
    thread.join(20)
    assert not thread.is_alive()


def test_a_missing_library_is_the_end_too(qtbot: QtBot) -> None:
    """It is not there, and what needs it is shown without."""

    def work() -> None:
        raise ImportError("not there")

    owner = QObject()
    loader = LibraryLoader(work, owner)
    with qtbot.waitSignal(loader.done):
        loader.start()
