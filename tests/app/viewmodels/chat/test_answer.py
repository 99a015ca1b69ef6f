"""Tests of an answer in progress."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.domain.conversation import Message, MessageState, new_conversation
from app.domain.settings import Settings
from app.viewmodels.chat.answer import Answer, answer_to
from mlx_engine.protocol import Delta, Finished, RequestFailed, SegmentKind
from tests.app.conversations import STATISTICS

MODEL = Path("models/owner/A")


def new_answer() -> Answer:
    question = Message(id="q", parent=None, role="user", text="Hello", created=0.0)
    return answer_to([question], new_conversation("owner/A", Settings(system_prompt="Be kind.")), model=MODEL)


def delta(text: str, kind: SegmentKind = "answer") -> Delta:
    return Delta("", kind, text, 1)


def test_the_request_has_the_path_and_the_parameters() -> None:
    """Request and message have the same id."""
    answer = new_answer()
    assert answer.request.id == answer.id == answer.message.id
    assert [message.content for message in answer.request.messages] == ["Be kind.", "Hello"]
    assert (answer.message.parent, answer.message.model) == ("q", "owner/A")
    assert answer.message.state == MessageState.STREAMING


@given(st.lists(st.tuples(st.sampled_from(["answer", "thinking"]), st.text(max_size=5), st.booleans())))
def test_drained_text_adds_up_to_the_message(pieces: list[tuple[SegmentKind, str, bool]]) -> None:
    """Each piece is drained once and in order."""
    answer, drained = new_answer(), []
    for kind, text, is_drained in pieces:
        answer.append(delta(text, kind), 0.0)
        if is_drained:
            drained += answer.drain()
    drained += answer.drain()
    assert "".join(text for kind, text in drained if kind == "answer") == answer.message.text
    assert "".join(text for kind, text in drained if kind == "thinking") == answer.message.thinking
    assert answer.drain() == []


def test_thinking_time_ends_with_the_answer() -> None:
    """Text after the first token of the answer does not count."""
    answer = new_answer()
    answer.append(delta("Hm", "thinking"), 10.0)
    answer.append(delta(" hm", "thinking"), 11.0)
    assert answer.message.thinking_s == 1.0
    answer.append(delta("So"), 12.5)
    answer.append(delta(" it is."), 20.0)
    assert answer.message.thinking_s == 2.5


def test_an_answer_without_thinking_has_no_thinking_time() -> None:
    """Most models do not think."""
    answer = new_answer()
    answer.append(delta("So"), 12.5)
    assert answer.message.thinking_s == 0.0


def test_a_checkpoint_needs_new_text() -> None:
    """Tokens without text are not new text."""
    answer = new_answer()
    assert answer.checkpoint() is None
    answer.append(delta("So"), 0.0)
    stored = answer.checkpoint()
    assert stored
    assert stored.text == "So"
    answer.append(delta(""), 0.0)
    assert answer.checkpoint() is None


def test_each_ending_has_its_state() -> None:
    """Finished, stopped and failed answers keep the text."""
    answer = new_answer()
    answer.append(delta("So"), 0.0)
    finished = answer.end(Finished(answer.id, "length", STATISTICS))
    assert (finished.state, finished.statistics, finished.text) == (MessageState.COMPLETE, STATISTICS, "So")
    stopped = answer.end(Finished(answer.id, "cancelled"))
    assert (stopped.state, stopped.statistics, stopped.text) == (MessageState.STOPPED, None, "So")
    failed = answer.end(RequestFailed(answer.id, "Not enough memory", "Try a smaller model."))
    assert (failed.state, failed.error, failed.text) == (
        MessageState.FAILED,
        "Not enough memory. Try a smaller model.",
        "So",
    )
