"""Tests of the live figures of an answer."""

import pytest

from app.domain.conversation import MessageState
from app.viewmodels.chat.throughput import HISTORY, Meter, Throughput, of_engine, of_message
from mlx_engine.engine.values.state import Loading, Ready, Starting, Stopped
from mlx_engine.protocol import Delta, Loaded, LoadProgress, Prefill
from tests.app.conversations import STATISTICS, message

LOADED = Loaded(id="load", context_length=1, can_think=False, weights_bytes=1, load_s=1.0, device="")


def prefill(done: int, cached: int = 0, reason: str = "") -> Prefill:
    return Prefill(id="1", done_tokens=done, total_tokens=1000, cached_tokens=cached, reread_reason=reason)


def answering(rate: float, seconds: float) -> tuple[Meter, float]:
    """Return a meter after this many seconds of tokens, and the time."""
    meter, now = Meter(), 10.0
    meter.start(Ready(LOADED))
    meter.update(prefill(1000), now)
    for count in range(1, int(rate * seconds) + 1):
        now = 10.5 + count / rate
        meter.update(Delta("1", "answer", "x", count), now)
    return meter, now


def test_an_answer_that_is_not_started_waits() -> None:
    """The engine is working on another answer."""
    assert Meter().throughput(1.0) == Throughput(phase="waiting")


def test_a_model_is_loaded_first() -> None:
    """Loading shows bytes until the prefill starts."""
    meter = Meter()
    meter.start(Stopped())
    assert meter.throughput(0.0).phase == "loading"
    meter.update(LoadProgress("load", 30, 100), 1.0)
    assert (meter.throughput(1.0).load_done_bytes, meter.throughput(1.0).load_total_bytes) == (30, 100)
    meter.update(LOADED, 2.0)
    assert meter.throughput(2.0).phase == "reading"


def test_a_load_in_progress_is_continued() -> None:
    """A message during a load does not reset its progress."""
    meter = Meter()
    meter.start(Loading(60, 100))
    assert meter.throughput(0.0).load_done_bytes == 60


def test_the_prefill_rate_excludes_cached_tokens() -> None:
    """Cached tokens are shown, but are not part of the rate."""
    meter = Meter()
    meter.start(Ready(LOADED))
    meter.update(prefill(400, cached=400, reason="because"), 1.0)
    meter.update(prefill(600, cached=400, reason="because"), 1.5)
    shown = meter.throughput(1.5)
    assert (shown.done_tokens, shown.total_tokens, shown.cached_tokens) == (600, 1000, 400)
    assert (shown.reread_reason, shown.tokens_per_s, shown.context_tokens) == ("because", 400.0, 600)


@pytest.mark.parametrize("rate", [2.0, 30.0, 500.0])
def test_the_rate_covers_the_last_second(rate: float) -> None:
    """A steady engine shows its rate, at any speed."""
    meter, now = answering(rate, 5)
    assert meter.throughput(now).tokens_per_s == pytest.approx(rate, rel=0.02)


def test_the_rate_follows_a_change_within_a_second() -> None:
    """Tokens before the last second do not count."""
    meter, now = answering(100, 3)
    for count in range(1, 11):
        meter.update(Delta("1", "answer", "x", 300 + count), now + count / 10)
    assert meter.throughput(now + 1.0).tokens_per_s == pytest.approx(10, rel=0.15)


def test_a_stall_shows_as_zero() -> None:
    """A second without tokens has the rate 0."""
    meter, now = answering(100, 3)
    assert meter.throughput(now + 0.5).tokens_per_s == pytest.approx(50, rel=0.05)
    assert meter.throughput(now + 1.5).tokens_per_s == 0.0


def test_one_token_has_no_rate_yet() -> None:
    """A rate needs two tokens."""
    meter, now = answering(1, 1)
    assert meter.throughput(now).tokens_per_s == 0.0


def test_the_time_to_first_token_starts_with_the_prefill() -> None:
    """The time is available from the first token on."""
    meter, now = answering(100, 1)
    assert meter.throughput(now).time_to_first_token_s == pytest.approx(0.51)
    assert (meter.throughput(now).generated_tokens, meter.throughput(now).context_tokens) == (100, 1100)


def test_a_context_that_is_read_again_within_an_answer_counts_once() -> None:
    """The time to first token stays that of the answer's start."""
    meter, now = answering(rate=50, seconds=2)
    first_s = meter.throughput(now).time_to_first_token_s
    reread = Prefill(id="1", done_tokens=0, total_tokens=1100, cached_tokens=0, reread_reason="again")
    meter.update(reread, now + 1)
    assert (meter.throughput(now + 1).phase, meter.throughput(now + 1).reread_reason) == ("reading", "again")
    meter.update(Delta("1", "answer", "x", 101), now + 2)
    figures = meter.throughput(now + 2)
    assert (figures.context_tokens, figures.time_to_first_token_s) == (1101, first_s)


def test_the_history_is_bounded() -> None:
    """A long answer keeps the last 60 points."""
    meter, now = answering(100, 1)
    for _ in range(100):
        meter.tick(now)
    assert len(meter.throughput(now).history) == HISTORY


def test_the_history_starts_with_the_answer() -> None:
    """Loading and prefill add no points."""
    meter = Meter()
    meter.start(Starting())
    meter.tick(1.0)
    assert meter.throughput(1.0).history == ()


def test_a_finished_answer_has_its_stored_figures() -> None:
    """The figures come from the statistics of the engine."""
    shown = of_message(message("a", "q", statistics=STATISTICS))
    assert (shown.phase, shown.tokens_per_s, shown.generated_tokens) == ("done", 50.5, 3)
    assert (shown.context_tokens, shown.cached_tokens, shown.time_to_first_token_s) == (15, 4, 0.1)


@pytest.mark.parametrize(
    ("state", "phase"),
    [(MessageState.FAILED, "failed"), (MessageState.STOPPED, "idle"), (MessageState.COMPLETE, "idle")],
)
def test_an_answer_without_figures_shows_none(state: MessageState, phase: str) -> None:
    """Only a failure is shown."""
    assert of_message(message("a", "q", state=state)) == Throughput(phase=phase)


def test_an_idle_engine_shows_nothing() -> None:
    """A ready model is idle."""
    assert of_engine(Ready(LOADED)) == of_engine(Stopped()) == Throughput()
