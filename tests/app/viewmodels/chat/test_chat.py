"""Tests of the current conversation, with real files and a scripted engine."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from app.domain import database
from app.domain.conversation import MessageState
from app.domain.store import Store
from app.viewmodels.chat import answering
from app.viewmodels.chat.answering import FLUSH_MS
from app.viewmodels.chat.throughput import Throughput
from mlx_engine.protocol import Delta
from mlx_engine.sampling import Sampling
from tests.app.viewmodels.facet import MODEL, OTHER, TIMEOUT_MS, Facet
from tests.scripted_worker import Script

Start = Callable[[Script], Facet]

pytestmark = pytest.mark.process


def test_the_first_message_starts_a_conversation(qtbot: QtBot, facet: Facet) -> None:
    """It is stored with its answer and figures, and becomes the title."""
    assert facet.chat.conversation is None
    answer = facet.ask(qtbot, "How do whales talk?")
    assert (answer.text, answer.state, answer.model) == ("Whales sing.", MessageState.COMPLETE, MODEL)
    assert answer.statistics
    assert answer.statistics.generated_tokens == 2
    assert facet.chat.title == "How do whales talk?"
    assert facet.stored == [item.message for item in facet.chat.items]
    assert facet.problems == []


def test_a_draft_is_not_stored(facet: Facet) -> None:
    """Launching the app or opening a new chat adds no row to the list."""
    facet.chat.parameters.set("Be brief.", Sampling(), think=False)
    facet.chat.set_model(OTHER)
    facet.chat.new()
    assert facet.store.conversations() == []


@pytest.mark.parametrize("text", ["", "  \n\t "])
def test_a_blank_message_is_not_sent(facet: Facet, text: str) -> None:
    """Nothing is sent, stored or shown."""
    assert not facet.chat.send(text)
    assert (facet.chat.items, facet.store.conversations()) == ([], [])


def test_a_message_without_model_is_not_sent(qtbot: QtBot, start: Start) -> None:
    """Before the library is read, or when it is empty, the text stays in the composer."""
    facet = start(Script())
    assert not facet.chat.can_send
    assert not facet.chat.send("Hello?")
    assert "Choose a model" in facet.problems[0]
    facet.ready(qtbot)
    assert facet.chat.can_send


@pytest.mark.parametrize("text", ["x" * 1_000_000, "مرحبا 鲸鱼 👩‍👩‍👧 \x07\x1b[31m", "half \ud83d of a character"])
def test_any_text_is_accepted(qtbot: QtBot, facet: Facet, text: str) -> None:
    """Arbitrary text is sent and stored, with lone surrogates replaced."""
    assert facet.ask(qtbot, text).state == MessageState.COMPLETE
    assert facet.stored[0].text == text.replace("\ud83d", "�")


def test_streamed_text_adds_up_to_the_answer(qtbot: QtBot, start: Start) -> None:
    """Text is emitted at most 30 times per second."""
    facet = start(Script(answer=" one two three", thinking="Hm, hm.", tokens=300, rate=500)).ready(qtbot)
    asked = time.monotonic()
    answer = facet.ask(qtbot, "Count.")
    elapsed_ms = 1000 * (time.monotonic() - asked)
    for kind, text in (("answer", answer.text), ("thinking", answer.thinking)):
        assert "".join(piece for _, piece_kind, piece in facet.streamed if piece_kind == kind) == text
    assert {message for message, *_ in facet.streamed} == {answer.id}
    assert len(facet.streamed) <= elapsed_ms / FLUSH_MS + 3
    assert answer.thinking_s > 0


def test_stopping_keeps_the_text(qtbot: QtBot, start: Start) -> None:
    """The text so far is kept with its figures, and the next message is answered."""
    facet = start(Script(tokens=5000, rate=100)).ready(qtbot)
    facet.chat.send("Go on for ever.")
    qtbot.waitUntil(lambda: len(facet.streamed) > 3, timeout=TIMEOUT_MS)
    facet.chat.stop()
    answer = facet.answered(qtbot)
    assert answer.state == MessageState.STOPPED
    assert "".join(text for *_, text in facet.streamed) == answer.text
    assert answer.statistics
    assert facet.stored[-1] == answer


def test_stopping_before_the_first_word(qtbot: QtBot, start: Start) -> None:
    """Loading and prefill can be stopped; the empty answer is kept for regenerating."""
    facet = start(Script(prefill_s=30)).ready(qtbot)
    facet.chat.send("Read this.")
    qtbot.waitUntil(lambda: facet.chat.throughput.phase == "reading", timeout=TIMEOUT_MS)
    facet.chat.stop()
    assert (facet.answered(qtbot).state, facet.last.text) == (MessageState.STOPPED, "")


def test_regenerating_keeps_both_answers(qtbot: QtBot, start: Start, facet: Facet) -> None:
    """The new answer is another version; the old one is available, also after a restart."""
    old = facet.ask(qtbot, "Sing.")
    facet.chat.regenerate(old.id)
    new = facet.answered(qtbot)
    assert [(item.branch, item.branches) for item in facet.chat.items] == [(1, 1), (2, 2)]
    facet.chat.switch_branch(new.id, -1)
    assert facet.last == old
    conversation_id = facet.chat.conversation.id
    again = start(Script())
    again.chat.open(conversation_id)
    assert again.last == old


def test_editing_keeps_the_old_branch(qtbot: QtBot, facet: Facet) -> None:
    """An edited message starts a branch; the messages after the old one are kept."""
    facet.ask(qtbot, "First")
    facet.ask(qtbot, "Second")
    facet.chat.edit(facet.chat.items[0].message.id, "Other")
    facet.answered(qtbot)
    assert facet.path == ["Other", "Whales sing."]
    facet.chat.switch_branch(facet.chat.items[0].message.id, -1)
    assert facet.path == ["First", "Whales sing.", "Second", "Whales sing."]


def test_answers_and_unknown_messages_cannot_be_edited(qtbot: QtBot, facet: Facet) -> None:
    """Only the user's messages can be edited."""
    answer = facet.ask(qtbot, "Sing.")
    assert not facet.chat.edit(answer.id, "I said this.")
    assert not facet.chat.edit("nobody", "Hello")
    assert not facet.chat.regenerate("nobody")
    facet.chat.switch_branch("nobody", 1)
    assert facet.path == ["Sing.", "Whales sing."]


def test_a_failed_answer_is_kept_with_its_reason(qtbot: QtBot, start: Start) -> None:
    """The message has the error, and the chat continues."""
    facet = start(Script(fail_answer="The prompt is too long.")).ready(qtbot)
    answer = facet.ask(qtbot, "A long story")
    assert (answer.state, answer.text) == (MessageState.FAILED, "")
    assert "The prompt is too long." in answer.error
    assert facet.stored[-1] == answer
    assert facet.chat.can_send
    assert facet.chat.throughput.phase == "failed"


def test_a_failed_load_fails_the_answer(qtbot: QtBot, start: Start) -> None:
    """The answer has the error of the load."""
    facet = start(Script(fail_load="A shard is cut short.")).ready(qtbot)
    assert "A shard is cut short." in facet.ask(qtbot, "Hello").error


@pytest.mark.parametrize("point", ["load", "prefill", "decode"])
def test_the_chat_survives_a_killed_engine(qtbot: QtBot, start: Start, tmp_path: Path, point: str) -> None:
    """The text so far is kept, and regenerating restarts the engine."""
    script = Script(answer="one two three four", die_at=point, once=str(tmp_path / "died"))
    facet = start(script).ready(qtbot)
    broken = facet.ask(qtbot, "Count.")
    assert broken.state == MessageState.FAILED
    assert "signal 9" in broken.error
    assert broken.text == ("one two" if point == "decode" else "")
    facet.chat.regenerate(broken.id)
    assert facet.answered(qtbot).text == "one two three four"
    assert facet.stored[1] == broken


def test_a_change_of_model_is_marked(qtbot: QtBot, facet: Facet) -> None:
    """The chat continues, and the first answer of the new model has its name."""
    facet.ask(qtbot, "One")
    facet.chat.set_model(OTHER)
    facet.ask(qtbot, "Two")
    facet.ask(qtbot, "Three")
    assert [item.new_model for item in facet.chat.items] == ["", "", "", "Beta", "", ""]
    assert facet.last.model == OTHER


def test_the_last_chosen_model_answers_the_next_conversation(qtbot: QtBot, start: Start, facet: Facet) -> None:
    """The choice survives a restart; an unknown model is ignored."""
    facet.chat.set_model(OTHER)
    facet.chat.set_model("nobody/Nothing")
    assert start(Script()).ready(qtbot).chat.model == OTHER


def test_an_answer_continues_while_another_chat_is_open(qtbot: QtBot, start: Start, tmp_path: Path) -> None:
    """Returning shows the text so far, then the rest, each word once."""
    away, back = tmp_path / "away", tmp_path / "back"
    script = Script(answer=" one two three", tokens=100, waits={"30": str(away), "60": str(back)})
    facet = start(script).ready(qtbot)
    facet.chat.send("Count.")
    conversation_id = facet.chat.conversation.id
    qtbot.waitUntil(lambda: bool(facet.streamed), timeout=TIMEOUT_MS)
    facet.chat.new()
    assert not facet.chat.busy
    assert facet.chat.answering == {conversation_id}
    before = len(facet.streamed)
    with qtbot.waitSignal(
        facet.bridge.event_received,
        timeout=TIMEOUT_MS,
        check_params_cb=lambda _, event: isinstance(event, Delta) and event.generated_tokens == 60,
    ):
        away.touch()
    assert len(facet.streamed) == before
    facet.chat.open(conversation_id)
    assert facet.chat.busy
    history = facet.last.text
    assert len(history.split()) == 60
    back.touch()
    answer = facet.answered(qtbot)
    assert history + "".join(text for *_, text in facet.streamed[before:]) == answer.text
    assert len(answer.text.split()) == 100


def test_a_second_chat_waits_for_its_turn(qtbot: QtBot, start: Start) -> None:
    """The second message is shown as waiting, and is answered next."""
    facet = start(Script(answer=" word", tokens=60)).ready(qtbot)
    facet.chat.send("First")
    first = facet.chat.conversation.id
    facet.chat.new()
    facet.chat.set_model(OTHER)
    facet.chat.send("Second")
    assert facet.chat.throughput.phase == "waiting"
    assert facet.answered(qtbot).state == MessageState.COMPLETE
    facet.chat.open(first)
    assert facet.last.state == MessageState.COMPLETE


def test_a_waiting_message_can_be_stopped(qtbot: QtBot, start: Start) -> None:
    """It ends at once, without affecting the running answer."""
    facet = start(Script(answer=" word", tokens=40)).ready(qtbot)
    facet.chat.send("First")
    first = facet.chat.conversation.id
    facet.chat.new()
    facet.chat.send("Second")
    facet.chat.stop()
    assert facet.last.state == MessageState.STOPPED
    facet.chat.open(first)
    assert facet.answered(qtbot).state == MessageState.COMPLETE


def test_closing_marks_the_answer_as_interrupted(qtbot: QtBot, start: Start, tmp_path: Path) -> None:
    """The text so far is stored when the window closes during an answer."""
    facet = start(Script(answer=" word", tokens=5000, rate=200)).ready(qtbot)
    facet.chat.send("Go on.")
    qtbot.waitUntil(lambda: len(facet.streamed) > 3, timeout=TIMEOUT_MS)
    shown, conversation_id = facet.last.text, facet.chat.conversation.id
    facet.close()
    with closing(Store(tmp_path / "facet.sqlite3")) as store:
        answer = store.messages(conversation_id)[1]
    assert answer.state == MessageState.INTERRUPTED
    assert answer.text == shown
    assert facet.running_timers == []


def test_parameters_belong_to_the_conversation(qtbot: QtBot, start: Start, facet: Facet) -> None:
    """They apply to its answers and are stored with it; a new conversation has the defaults."""
    facet.chat.parameters.set("Be brief and kind.", Sampling(max_tokens=1), think=False)
    answer = facet.ask(qtbot, "Sing a song.")
    assert answer.statistics
    assert (answer.statistics.prompt_tokens, answer.statistics.generated_tokens) == (7, 1)
    conversation_id = facet.chat.conversation.id
    facet.chat.new()
    assert (facet.chat.parameters.system_prompt, facet.chat.parameters.sampling) == ("", Sampling())
    again = start(Script())
    again.chat.open(conversation_id)
    assert (
        again.chat.parameters.system_prompt,
        again.chat.parameters.sampling.max_tokens,
        again.chat.parameters.think,
    ) == (
        "Be brief and kind.",
        1,
        False,
    )


def test_parameters_out_of_range_are_rejected(qtbot: QtBot, facet: Facet) -> None:
    """The message has the value and its range; nothing changes."""
    facet.chat.parameters.set("", Sampling(temperature=9), think=True)
    assert "temperature is 9" in facet.problems[0]
    assert facet.chat.parameters.sampling == Sampling()


def test_new_defaults_apply_to_a_draft(qtbot: QtBot, facet: Facet) -> None:
    """Changed settings apply to an empty chat, and to no other."""
    facet.preferences.set("system_prompt", "Rhyme.")
    facet.preferences.set("sampling", Sampling(top_k=5))
    assert (facet.chat.parameters.system_prompt, facet.chat.parameters.sampling.top_k) == ("Rhyme.", 5)
    facet.ask(qtbot, "Hello")
    facet.preferences.set("system_prompt", "Shout.")
    assert facet.chat.parameters.system_prompt == "Rhyme."


def test_a_message_that_cannot_be_stored_is_not_sent(
    qtbot: QtBot, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a locked database, the text stays in the composer with an error; later it can be sent."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.001)
    facet = start(Script()).ready(qtbot)
    with closing(sqlite3.connect(tmp_path / "facet.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert not facet.chat.send("Keep this")
        assert "in use" in facet.problems[0]
        assert (facet.chat.items, facet.chat.busy) == ([], False)
        other.execute("ROLLBACK")
    assert facet.ask(qtbot, "Keep this").state == MessageState.COMPLETE


def test_an_answer_that_cannot_be_stored_is_shown_with_an_error(
    qtbot: QtBot, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A locked database is reported once while the answer streams on."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.001)
    monkeypatch.setattr(answering, "CHECKPOINT_MS", 1)
    reported, free = tmp_path / "reported", tmp_path / "free"
    facet = start(Script(answer=" word", tokens=150, waits={"50": str(reported), "100": str(free)})).ready(qtbot)
    facet.chat.send("Go on.")
    with closing(sqlite3.connect(tmp_path / "facet.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        qtbot.waitUntil(lambda: bool(facet.problems), timeout=TIMEOUT_MS)
        reported.touch()
        qtbot.waitUntil(lambda: len(facet.last.text.split()) == 100, timeout=TIMEOUT_MS)
        other.execute("ROLLBACK")
    free.touch()
    assert len(facet.answered(qtbot).text.split()) == 150
    assert len(facet.problems) == 1
    assert facet.stored[-1] == facet.last


def test_the_figures_follow_the_answer(
    qtbot: QtBot, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading, prefill and decode are shown live; afterwards the figures of the answer remain."""
    monkeypatch.setattr(answering, "METER_MS", 10)
    points = ["load", "prefill", "60"]
    script = Script(answer=" word", tokens=120, waits={point: str(tmp_path / point) for point in points})
    facet = start(script).ready(qtbot)
    facet.chat.send("Tell me about whales and their songs, please.")

    def shown(reached: Callable[[Throughput], bool]) -> Throughput:
        """Wait for these figures at the next point, then let the worker continue."""
        qtbot.waitUntil(lambda: reached(facet.chat.throughput), timeout=TIMEOUT_MS)
        (tmp_path / points.pop(0)).touch()
        return facet.chat.throughput

    loading = shown(lambda now: now.load_done_bytes > 0)
    assert (loading.phase, loading.load_done_bytes < loading.load_total_bytes) == ("loading", True)
    reading = shown(lambda now: now.done_tokens > 0)
    assert (reading.phase, reading.done_tokens < reading.total_tokens == 8) == ("reading", True)
    streaming = shown(lambda now: now.generated_tokens == 60 and len(now.history) >= 3 and now.tokens_per_s > 0)
    assert streaming.phase == "answering"
    assert streaming.engine_memory_bytes > 1_000_000
    assert streaming.time_to_first_token_s > 0
    answer = facet.answered(qtbot)
    done = facet.chat.throughput
    assert answer.statistics
    assert (done.generated_tokens, done.tokens_per_s) == (120, answer.statistics.decode_tokens_per_s)
    assert (done.context_tokens, done.context_length) == (128, 8192)


def test_an_opened_conversation_shows_the_figures_of_its_last_answer(qtbot: QtBot, start: Start, facet: Facet) -> None:
    """After a restart, before the engine runs, the context comes from the description of the model."""
    facet.ask(qtbot, "Hello")
    shown, conversation_id = facet.chat.throughput, facet.chat.conversation.id
    facet.chat.new()
    assert facet.chat.throughput.phase == "idle"
    again = start(Script()).ready(qtbot)
    again.chat.open(conversation_id)
    stored = again.chat.throughput
    assert (stored.phase, stored.tokens_per_s, stored.context_tokens) == (
        "done",
        shown.tokens_per_s,
        shown.context_tokens,
    )
    assert (stored.context_length, stored.engine_memory_bytes) == (4096, 0)


def test_no_timer_runs_at_rest(qtbot: QtBot, facet: Facet) -> None:
    """An idle window does not wake up."""
    facet.ask(qtbot, "Hello")
    qtbot.waitUntil(lambda: facet.running_timers == [], timeout=TIMEOUT_MS)


def test_a_manual_load_is_shown(qtbot: QtBot, start: Start) -> None:
    """The bar shows the load of the chosen model without a message."""
    facet = start(Script(load_s=0.5)).ready(qtbot)
    facet.library.load(MODEL)
    qtbot.waitUntil(lambda: facet.chat.throughput.load_done_bytes > 0, timeout=TIMEOUT_MS)
    assert facet.chat.throughput.phase == "loading"
    qtbot.waitUntil(lambda: facet.chat.throughput.phase == "idle", timeout=TIMEOUT_MS)
    assert facet.chat.throughput.engine_memory_bytes > 0
    facet.library.unload(MODEL)
    qtbot.waitUntil(lambda: facet.chat.throughput.engine_memory_bytes == 0, timeout=TIMEOUT_MS)


def test_settings_file_is_not_written_by_chatting(qtbot: QtBot, facet: Facet, tmp_path: Path) -> None:
    """Only choices of the user write settings."""
    facet.ask(qtbot, "Hello")
    assert not (tmp_path / "settings.json").exists()
    facet.chat.set_model(OTHER)
    assert msgspec.json.decode((tmp_path / "settings.json").read_bytes())["last_model"] == OTHER
