"""Test of killing the app during an answer."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

from PySide6.QtCore import QCoreApplication

from app.domain.conversation import MessageState
from app.domain.store import Store
from tests.app.viewmodels.facet import Facet
from tests.scripted_worker import Script

RATE = 200


def run(home: Path) -> None:
    """Send a message, and print the number of words after each piece of text, until killed."""
    app = QCoreApplication([])
    facet = Facet(home, Script(answer=" word", tokens=100_000, rate=RATE))
    facet.library.refreshed.connect(lambda: facet.chat.send("Go on for ever."))
    facet.chat.text_streamed.connect(lambda *_: print(len(facet.last.text.split()), flush=True))  # noqa: T201
    facet.library.refresh()
    app.exec()


def test_a_killed_app_loses_half_a_second_at_most(tmp_path: Path) -> None:
    """After kill -9, the answer is marked as interrupted and lacks at most the last half second."""
    with subprocess.Popen([sys.executable, "-m", __name__, tmp_path], stdout=subprocess.PIPE) as app:
        assert app.stdout
        shown = 0
        while shown < 1.5 * RATE:
            shown = int(app.stdout.readline())
        app.kill()
        shown = int(([b"0", *app.stdout.read().split()])[-1]) or shown
    with closing(Store(tmp_path / "facet.sqlite3")) as store:
        (conversation,) = store.conversations()
        question, answer = store.messages(conversation.id)
    assert question.text == "Go on for ever."
    assert answer.state == MessageState.INTERRUPTED
    assert len(answer.text.split()) >= shown - RATE / 2


if __name__ == "__main__":
    run(Path(sys.argv[1]))
