"""Tests of the questions before a model is loaded."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.chat import answering
from app.viewmodels.chat.load_question import LoadOption
from mlx_engine.engine.parents import client
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

pytestmark = pytest.mark.process


@pytest.fixture
def start_on(qapp: object, tmp_path: Path, qtbot: QtBot) -> Iterator[Start]:
    """Start Facet on a Mac whose memory is just enough for `tokens` of context of the large model."""
    runs: list[Facet] = []
    for name in (MODEL, OTHER):
        make_model(tmp_path / "models", name)
    make_model(tmp_path / "models", LARGE, 32768, **ROOM)
    make_model(tmp_path / "models", WINDOWED, 32768, **ROOM, sliding_window=512, layer_types=["sliding_attention"] * 4)

    def start(script: Script, tokens: int, bits: CacheBits = 16) -> Facet:
        model = describe(tmp_path / "models" / LARGE, LARGE)
        needed = estimate(model, tokens, cache_bits=bits, runtime=METAL).total_bytes
        memory = needed * 8 // 7 + 100  # an eighth is reserved
        machine = Machine(memory, memory, "for the test", has_metal=True)
        runs.append(Facet(tmp_path, script, machine).ready(qtbot))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


def option(facet: Facet, prefix: str) -> LoadOption:
    assert facet.gate.question
    return next(option for option in facet.gate.question.options if option.text.startswith(prefix))


def test_a_model_that_fits_loads_without_question(qtbot: QtBot, start_on: Start) -> None:
    facet = start_on(Script(), 32_768)
    facet.chat.set_model(LARGE)
    facet.ask(qtbot, "Hello")
    assert facet.gate.question is None


def test_a_model_that_does_not_fit_raises_a_question_first(start_on: Start) -> None:
    """Nothing is sent, stored or loaded; the question has the estimate."""
    facet = start_on(Script(), 256)
    facet.chat.set_model(LARGE)
    assert not facet.chat.send("Hello")
    question = facet.gate.question
    assert question
    assert question.title == "Not enough memory for Large"
    assert [line.label for line in question.lines][:3] == ["Weights", "Context", "Working memory"]
    assert "8,192 tokens, 16-bit KV cache" in question.lines[1].remark
    assert (facet.chat.items, facet.store.conversations(), facet.problems) == ([], [], [])
    assert isinstance(facet.bridge.state(facet.models / LARGE), Stopped)


def test_a_shorter_context_sends_the_message(qtbot: QtBot, start_on: Start) -> None:
    """One click sets the context and sends the held text."""
    facet = start_on(Script(), 4096)
    facet.chat.set_model(LARGE)
    facet.chat.send("Hello")
    accepted: list[str] = []
    facet.chat.accepted.connect(accepted.append)
    option(facet, "Use a Context of 4,096 Tokens").choose()
    assert facet.answered(qtbot).text
    assert (facet.chat.parameters.context, accepted, facet.gate.question) == (4096, ["Hello"], None)
    assert facet.chat.throughput.context_length == 4096
    assert facet.store.conversations()[0].context == 4096


def test_fewer_bits_send_the_message(qtbot: QtBot, start_on: Start) -> None:
    """A smaller KV cache makes the whole context fit."""
    facet = start_on(Script(), 8192, bits=8)
    facet.chat.set_model(LARGE)
    facet.chat.send("Hello")
    option(facet, "Use an 8-bit KV cache").choose()
    assert facet.answered(qtbot).text
    assert facet.chat.parameters.cache_bits == 8


def test_another_model_sends_the_message(qtbot: QtBot, start_on: Start) -> None:
    """The conversation continues with the smaller model."""
    facet = start_on(Script(), 256)
    facet.chat.set_model(LARGE)
    facet.chat.send("Hello")
    option(facet, "Use Alpha").choose()
    assert facet.answered(qtbot).model == MODEL


def test_load_anyway_asks_once(qtbot: QtBot, start_on: Start) -> None:
    """The question comes back after the model is unloaded."""
    facet = start_on(Script(), 256)
    facet.chat.set_model(LARGE)
    facet.chat.send("Hello")
    option(facet, "Load Anyway").choose()
    facet.answered(qtbot)
    facet.ask(qtbot, "And again")
    facet.library.unload(LARGE)
    assert not facet.chat.regenerate(facet.last.id)
    assert facet.gate.question


def test_cancel_changes_nothing(qtbot: QtBot, start_on: Start) -> None:
    facet = start_on(Script(), 256)
    facet.chat.set_model(LARGE)
    facet.chat.send("Hello")
    with qtbot.waitSignal(facet.gate.declined):
        facet.gate.decline()
    assert (facet.gate.question, facet.chat.items, facet.chat.model) == (None, [], LARGE)


@pytest.mark.parametrize("change", ["new", "model", "memory"])
def test_a_question_is_withdrawn_when_it_no_longer_applies(start_on: Start, change: str) -> None:
    """A new conversation, another model or other settings remove the question."""
    facet = start_on(Script(), 256)
    facet.chat.set_model(LARGE)
    facet.chat.send("Hello")
    {
        "new": facet.chat.new,
        "model": lambda: facet.chat.set_model(MODEL),
        "memory": lambda: facet.chat.parameters.set_memory(context=512),
    }[change]()
    assert facet.gate.question is None


def test_a_long_text_counts_in_the_estimate(start_on: Start) -> None:
    """The context is rounded up from the length of the text."""
    facet = start_on(Script(), 10_240)
    facet.chat.set_model(LARGE)
    assert not facet.chat.send("word " * 20_000)
    assert facet.gate.question
    assert "32,768 tokens" in facet.gate.question.lines[1].remark


def test_tight_memory_is_reported_once(qtbot: QtBot, start_on: Start) -> None:
    """The model loads, and the message has the estimate."""
    facet = start_on(Script(), 7680)
    messages: list[str] = []
    facet.gate.memory_tight.connect(lambda title, message: messages.append(message))
    facet.chat.set_model(LARGE)
    facet.ask(qtbot, "Hello")
    facet.ask(qtbot, "Hello again")
    assert len(messages) == 1
    assert "is kept free" in messages[0]


def test_a_manual_load_asks_too(qtbot: QtBot, start_on: Start) -> None:
    facet = start_on(Script(), 4096)
    facet.chat.loading.load(LARGE)
    option(facet, "Use a Context of 4,096 Tokens").choose()
    qtbot.waitUntil(lambda: isinstance(facet.bridge.state(facet.models / LARGE), Ready), timeout=TIMEOUT_MS)


@pytest.mark.parametrize("now", [True, False])
def test_loading_another_model_asks_before_it_stops_an_answer(
    qtbot: QtBot, start_on: Start, tmp_path: Path, now: bool
) -> None:
    """The load waits for the answer or stops it, as the user chooses."""
    asked = tmp_path / "asked"
    facet = start_on(Script(tokens=60, waits={"30": str(asked)}), 32_768)
    facet.chat.send("Tell me")
    qtbot.waitUntil(lambda: facet.chat.throughput.phase == "answering", timeout=TIMEOUT_MS)
    facet.chat.loading.load(OTHER)
    assert facet.gate.question
    assert facet.chat.busy
    option(facet, "Stop and Load" if now else "Load After").choose()
    if not now:
        asked.touch()
    answer = facet.answered(qtbot)
    assert answer.state == ("stopped" if now else "complete")
    qtbot.waitUntil(lambda: isinstance(facet.bridge.state(facet.models / OTHER), Ready), timeout=TIMEOUT_MS)


def test_a_model_that_does_not_stop_can_be_quit(qtbot: QtBot, start_on: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be quit after the grace period; the text so far is kept."""
    monkeypatch.setattr(client, "GRACE_S", 0.2)
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
    """The choice is kept for other models; this one has a reason against it."""
    facet = start_on(Script(), 32_768)
    facet.chat.set_model(LARGE)
    facet.chat.parameters.set_memory(cache_bits=8)
    facet.chat.set_model(WINDOWED)
    assert "sliding window" in facet.chat.parameters.cache_obstacle
    assert facet.chat.parameters.cache_bits == 16
    facet.chat.set_model(LARGE)
    assert facet.chat.parameters.cache_bits == 8
