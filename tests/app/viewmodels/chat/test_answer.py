"""One answer on its way."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from app.domain.conversation import Message, MessageState, draft
from app.domain.settings import Settings
from app.viewmodels.chat.answer import Answer, answer_to
from mlx_engine.protocol import Delta, Finished, RequestFailed, SegmentKind
from tests.app.conversations import STATISTICS

MODEL = Path("models/owner/A")


def answer() -> Answer:
    question = Message(id="q", parent=None, role="user", text="Hello", created=0.0)
    return answer_to([question], draft("owner/A", Settings(system_prompt="Be kind.")), model=MODEL)


def delta(text: str, kind: SegmentKind = "answer") -> Delta:
    return Delta("", kind, text, 1)


def test_it_asks_for_the_path_with_the_conversations_parameters() -> None:
    """The request carries the message's id, so that its events find it."""
    made = answer()
    assert made.request.id == made.id == made.message.id
    assert [one.content for one in made.request.messages] == ["Be kind.", "Hello"]
    assert (made.message.parent, made.message.model) == ("q", "owner/A")
    assert made.message.state == MessageState.STREAMING


@given(st.lists(st.tuples(st.sampled_from(["answer", "thinking"]), st.text(max_size=5), st.booleans())))
def test_what_is_drained_adds_up_to_the_message(pieces: list[tuple[SegmentKind, str, bool]]) -> None:
    """However the text is gathered, every piece is told once and in order."""
    made, drained = answer(), []
    for kind, text, is_drained in pieces:
        made.take(delta(text, kind), 0.0)
        if is_drained:
            drained += made.drain()
    drained += made.drain()
    assert "".join(text for kind, text in drained if kind == "answer") == made.message.text
    assert "".join(text for kind, text in drained if kind == "thinking") == made.message.thinking
    assert made.drain() == []


def test_the_time_of_thinking_ends_with_the_answer() -> None:
    """What comes after the first word is not thinking any more."""
    made = answer()
    made.take(delta("Hm", "thinking"), 10.0)
    made.take(delta(" hm", "thinking"), 11.0)
    assert made.message.thinking_s == 1.0
    made.take(delta("So"), 12.5)
    made.take(delta(" it is."), 20.0)
    assert made.message.thinking_s == 2.5


def test_an_answer_without_thoughts_took_no_time_to_think() -> None:
    """Most models do not think."""
    made = answer()
    made.take(delta("So"), 12.5)
    assert made.message.thinking_s == 0.0


def test_a_checkpoint_is_due_only_when_there_is_more() -> None:
    """Nothing new, nothing to write; tokens without text are nothing new."""
    made = answer()
    assert made.checkpoint() is None
    made.take(delta("So"), 0.0)
    stored = made.checkpoint()
    assert stored
    assert stored.text == "So"
    made.take(delta(""), 0.0)
    assert made.checkpoint() is None


def test_the_ways_to_end() -> None:
    """Finished, stopped and failed keep the text, each in its own state."""
    made = answer()
    made.take(delta("So"), 0.0)
    finished = made.end(Finished(made.id, "length", STATISTICS))
    assert (finished.state, finished.statistics, finished.text) == (MessageState.COMPLETE, STATISTICS, "So")
    stopped = made.end(Finished(made.id, "cancelled"))
    assert (stopped.state, stopped.statistics, stopped.text) == (MessageState.STOPPED, None, "So")
    failed = made.end(RequestFailed(made.id, "Not enough memory", "Try a smaller model."))
    assert (failed.state, failed.error, failed.text) == (
        MessageState.FAILED,
        "Not enough memory. Try a smaller model.",
        "So",
    )
