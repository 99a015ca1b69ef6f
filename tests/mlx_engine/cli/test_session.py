import os
import signal
from pathlib import Path

import pytest

from mlx_engine.cli.session import AnswerFailed, Session
from mlx_engine.engine.parents import client
from mlx_engine.folders import Folders
from mlx_engine.protocol import ChatMessage, Delta, Event, Finished
from mlx_engine.sampling import Sampling
from tests import scripted_worker
from tests.scripted_worker import Script

QUESTION = [ChatMessage("user", "Say something.")]

pytestmark = pytest.mark.process


def session(home: Path, script: Script) -> Session:
    folders = Folders(data=home, cache=home, logs=home)
    return Session(Path("/models/owner/name"), folders, command=scripted_worker.command(script))


def ask(session: Session) -> list[Event]:
    return list(session.answer(QUESTION, Sampling(), think=True))


def test_an_answer_ends_with_a_finished_event(tmp_path: Path) -> None:
    """A second answer comes from the same worker."""
    with session(tmp_path, Script(answer="one two")) as answers:
        for _ in range(2):
            events = ask(answers)
            assert [event.text for event in events if isinstance(event, Delta)] == ["one", " two"]
            assert isinstance(events[-1], Finished)


def test_control_c_stops_the_answer_and_keeps_the_session(tmp_path: Path) -> None:
    """The text so far stays, and the next question is answered."""
    with session(tmp_path, Script(rate=50, tokens=10_000)) as answers:
        for _ in range(2):
            texts = []
            for event in answers.answer(QUESTION, Sampling(), think=True):
                if isinstance(event, Delta):
                    texts.append(event.text)
                    if len(texts) == 1:
                        os.kill(os.getpid(), signal.SIGINT)
            assert texts
            assert isinstance(event, Finished)
            assert event.finish_reason == "cancelled"


def test_a_second_control_c_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the worker hangs."""
    monkeypatch.setattr(client, "GRACE_S", 0.1)
    with session(tmp_path, Script(hang_at="prefill")) as answers:
        events = answers.answer(QUESTION, Sampling(), think=True)
        next(events)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            list(events)


def test_the_control_c_handler_is_restored_after_an_answer(tmp_path: Path) -> None:
    """Between answers, Control-C must interrupt the input."""
    before = signal.getsignal(signal.SIGINT)
    with session(tmp_path, Script()) as answers:
        ask(answers)

    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("point", ["load", "prefill", "decode"])
def test_a_dead_worker_is_an_error_and_restarts_for_the_next_answer(
    tmp_path: Path, point: scripted_worker.Point
) -> None:
    with session(tmp_path, Script(die_at=point, once=str(tmp_path / "died"))) as answers:
        with pytest.raises(AnswerFailed, match="was killed") as caught:
            ask(answers)
        assert caught.value.title == "The engine stopped"

        assert isinstance(ask(answers)[-1], Finished)


def test_a_refused_request_raises_the_workers_message(tmp_path: Path) -> None:
    with (
        session(tmp_path, Script(fail_answer="The prompt is too long.")) as answers,
        pytest.raises(AnswerFailed, match="The prompt is too long"),
    ):
        ask(answers)
