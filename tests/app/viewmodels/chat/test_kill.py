"""Test of killing the app during an answer."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QTimer

from app.domain.conversation import MessageState
from app.domain.store import Store
from app.viewmodels.chat.answering import CHECKPOINT_MS
from tests.app.viewmodels.facet import Facet
from tests.scripted_worker import Script

WORD_COUNT = 300

pytestmark = pytest.mark.process


def run(home: Path) -> None:
    """Request an answer that stops halfway, and print a line when all of its text is in the database."""
    app = QCoreApplication([])
    facet = Facet(home, Script(answer=" word", tokens=2 * WORD_COUNT, waits={str(WORD_COUNT): str(home / "never")}))
    facet.library.refreshed.connect(lambda: facet.chat.send("Go on for ever."))
    facet.library.refresh()

    def look() -> None:
        if facet.chat.conversation and len(facet.stored[-1].text.split()) == WORD_COUNT:
            print("stored", flush=True)  # noqa: T201

    timer = QTimer(interval=50)
    timer.timeout.connect(look)
    timer.start()
    app.exec()


def test_a_killed_app_loses_half_a_second_at_most(tmp_path: Path) -> None:
    """After kill -9, the answer is marked as interrupted and has the text of the last checkpoint."""
    assert CHECKPOINT_MS <= 500
    with subprocess.Popen([sys.executable, "-m", __name__, tmp_path], stdout=subprocess.PIPE) as app:
        assert app.stdout
        assert app.stdout.readline() == b"stored\n"
        app.kill()
    with closing(Store(tmp_path / "facet.sqlite3")) as store:
        (conversation,) = store.conversations()
        question, answer = store.messages(conversation.id)
    assert question.text == "Go on for ever."
    assert answer.state == MessageState.INTERRUPTED
    assert len(answer.text.split()) == WORD_COUNT


if __name__ == "__main__":
    run(Path(sys.argv[1]))
