"""What is asked before a model is loaded, and what becomes of the answers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.chat import answering
from app.viewmodels.chat.load_question import Way
from mlx_engine.engine.values.state import Ready, Stopped
from mlx_engine.models.description.describe import describe
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import METAL, estimate
from mlx_engine.protocol import CacheBits
from tests.app.fake_models import make_model
from tests.app.viewmodels.facet import MODEL, OTHER, TIMEOUT_MS, Facet
from tests.scripted_worker import Script

LARGE, WINDOWED = "owner/Large", "owner/Windowed"
ROOM = {"num_hidden_layers": 16, "hidden_size": 64, "num_attention_heads": 1, "head_dim": 64}

Start = Callable[..., Facet]


@pytest.fixture
def start_on(qapp: object, tmp_path: Path, qtbot: QtBot) -> Iterator[Start]:
    """Start Facet on a machine with just enough room for so many tokens of the large model's context."""
    runs: list[Facet] = []
    for name in (MODEL, OTHER):
        make_model(tmp_path / "models", name)
    make_model(tmp_path / "models", LARGE, 32768, **ROOM)
    make_model(tmp_path / "models", WINDOWED, 32768, **ROOM, sliding_window=512, layer_types=["sliding_attention"] * 4)

    def start(script: Script, tokens: int, bits: CacheBits = 16) -> Facet:
        model = describe(tmp_path / "models" / LARGE, LARGE)
        need = estimate(model, tokens, cache_bits=bits, runtime=METAL).total_bytes
        room = need * 8 // 7 + 100  # an eighth stays in reserve
        machine = Machine(room, room, "for the test", has_metal=True)
        runs.append(Facet(tmp_path, script, machine).ready(qtbot))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


def way(facet: Facet, beginning: str) -> Way:
    assert facet.gate.question
    return next(one for one in facet.gate.question.ways if one.text.startswith(beginning))


def test_what_fits_is_not_asked_about(qtbot: QtBot, start_on: Start) -> None:
    facet = start_on(Script(), 32_768)
    facet.chat.set_model(LARGE)
    facet.say(qtbot, "Hello")
    assert facet.gate.question is None


def test_what_does_not_fit_is_asked_about_before_anything_happens(start_on: Start) -> None:
    """Nothing is said, stored or loaded; the question has the sum."""
    facet = start_on(Script(), 256)
    facet.chat.set_model(LARGE)
    assert not facet.chat.send("Hello")
    question = facet.gate.question
    assert question
    assert "Large does not fit" in question.title
    assert [line.label for line in question.lines][:3] == ["Weights", "Context", "Working memory"]
    assert "8,192 tokens, 16-bit KV cache" in question.lines[1].remark
    assert (facet.chat.items, facet.store.conversations(), facet.problems) == ([], [], [])
    assert isinstance(facet.bridge.state(facet.models / LARGE), Stopped)


def test_a_shorter_context_is_taken_and_the_message_said(qtbot: QtBot, start_on: Start) -> None:
    """One press: the context is set, and what was written is answered."""
    facet = start_on(Script(), 4096)
    facet.chat.set_model(LARGE)
    facet.chat.send("Hello")
    taken: list[str] = []
    facet.chat.taken.connect(taken.append)
    way(facet, "Use 4,096 tokens").take()
    assert facet.answered(qtbot).text
    assert (facet.chat.parameters.context, taken, facet.gate.question) == (4096, ["Hello"], None)
    assert facet.chat.throughput.context_length == 4096
    assert facet.store.conversations()[0].context == 4096


def test_fewer_bits_are_taken(qtbot: QtBot, start_on: Start) -> None:
    """Where they make the whole context fit."""
    facet = start_on(Script(), 8192, bits=8)
    facet.chat.set_model(LARGE)
    facet.chat.send("Hello")
    way(facet, "Use an 8-bit context").take()
    assert facet.answered(qtbot).text
    assert facet.chat.parameters.cache_bits == 8


def test_another_model_is_taken(qtbot: QtBot, start_on: Start) -> None:
    """The conversation goes on with it."""
    facet = start_on(Script(), 256)
    facet.chat.set_model(LARGE)
    facet.chat.send("Hello")
    way(facet, "Use Alpha").take()
    assert facet.answered(qtbot).model == MODEL


def test_it_is_loaded_nevertheless(qtbot: QtBot, start_on: Start) -> None:
    """Nobody is asked twice, until the model is unloaded."""
    facet = start_on(Script(), 256)
    facet.chat.set_model(LARGE)
    facet.chat.send("Hello")
    way(facet, "Load anyway").take()
    facet.answered(qtbot)
    facet.say(qtbot, "And again")
    facet.library.unload(LARGE)
    assert not facet.chat.regenerate(facet.last.id)
    assert facet.gate.question


def test_giving_up_leaves_all_as_it_was(qtbot: QtBot, start_on: Start) -> None:
    facet = start_on(Script(), 256)
    facet.chat.set_model(LARGE)
    facet.chat.send("Hello")
    with qtbot.waitSignal(facet.gate.given_up):
        facet.gate.give_up()
    assert (facet.gate.question, facet.chat.items, facet.chat.model) == (None, [], LARGE)


@pytest.mark.parametrize("leave", ["new", "model", "memory"])
def test_a_question_goes_with_what_it_was_about(start_on: Start, leave: str) -> None:
    """A new conversation, another model, other settings: none of them is answered by an old question."""
    facet = start_on(Script(), 256)
    facet.chat.set_model(LARGE)
    facet.chat.send("Hello")
    {
        "new": facet.chat.new,
        "model": lambda: facet.chat.set_model(MODEL),
        "memory": lambda: facet.chat.parameters.set_memory(context=512),
    }[leave]()
    assert facet.gate.question is None


def test_a_long_text_is_reckoned_with(start_on: Start) -> None:
    """What fits for the usual context does not for a book."""
    facet = start_on(Script(), 10_240)
    facet.chat.set_model(LARGE)
    assert not facet.chat.send("word " * 20_000)
    assert facet.gate.question
    assert "32,768 tokens" in facet.gate.question.lines[1].remark


def test_tight_is_loaded_with_a_note(qtbot: QtBot, start_on: Start) -> None:
    """Once, with the sum."""
    facet = start_on(Script(), 7680)
    notes: list[str] = []
    facet.gate.noted.connect(lambda title, message: notes.append(message))
    facet.chat.set_model(LARGE)
    facet.say(qtbot, "Hello")
    facet.say(qtbot, "Hello again")
    assert len(notes) == 1
    assert "is kept free" in notes[0]


def test_loading_by_hand_asks_too(qtbot: QtBot, start_on: Start) -> None:
    facet = start_on(Script(), 4096)
    facet.chat.loading.load(LARGE)
    way(facet, "Use 4,096 tokens").take()
    qtbot.waitUntil(lambda: isinstance(facet.bridge.state(facet.models / LARGE), Ready), timeout=TIMEOUT_MS)


@pytest.mark.parametrize("now", [True, False])
def test_loading_another_model_does_not_end_an_answer_unasked(qtbot: QtBot, start_on: Start, now: bool) -> None:
    """It waits for the end of the answer, or ends it, as the person wants."""
    facet = start_on(Script(tokens=60, rate=100), 32_768)
    facet.chat.send("Tell me")
    qtbot.waitUntil(lambda: facet.chat.throughput.phase == "answering", timeout=TIMEOUT_MS)
    facet.chat.loading.load(OTHER)
    assert facet.gate.question
    assert facet.chat.busy
    way(facet, "Stop the answer" if now else "Load after").take()
    answer = facet.answered(qtbot)
    assert answer.state == ("stopped" if now else "complete")
    qtbot.waitUntil(lambda: isinstance(facet.bridge.state(facet.models / OTHER), Ready), timeout=TIMEOUT_MS)


def test_a_model_that_does_not_stop_can_be_ended(
    qtbot: QtBot, start_on: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the grace period; what it had said stays."""
    monkeypatch.setattr(answering, "STOP_GRACE_MS", 50)
    facet = start_on(Script(answer="one two three four", hang_at="decode"), 32_768)
    facet.chat.send("Count")
    qtbot.waitUntil(lambda: bool(facet.streamed), timeout=TIMEOUT_MS)
    assert not facet.chat.hangs
    facet.chat.stop()
    qtbot.waitUntil(lambda: facet.chat.hangs, timeout=TIMEOUT_MS)
    facet.chat.end_model()
    answer = facet.answered(qtbot)
    assert (answer.text, answer.state, facet.chat.hangs) == ("one two", "stopped", False)


def test_a_model_that_needs_16_bits_gets_them(qtbot: QtBot, start_on: Start) -> None:
    """The choice is kept for the next model; this one says why not."""
    facet = start_on(Script(), 32_768)
    facet.chat.set_model(LARGE)
    facet.chat.parameters.set_memory(cache_bits=8)
    facet.chat.set_model(WINDOWED)
    assert "sliding window" in facet.chat.parameters.cache_obstacle
    assert facet.chat.parameters.cache_bits == 16
    facet.chat.set_model(LARGE)
    assert facet.chat.parameters.cache_bits == 8
