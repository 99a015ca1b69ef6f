"""What the throughput bar shows."""

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
    """A meter that has seen so many seconds of tokens; and the time now."""
    meter, now = Meter(), 10.0
    meter.start(Ready(LOADED))
    meter.take(prefill(1000), now)
    for count in range(1, int(rate * seconds) + 1):
        now = 10.5 + count / rate
        meter.take(Delta("1", "answer", "x", count), now)
    return meter, now


def test_an_answer_that_is_not_begun_waits() -> None:
    """Another one has the engine."""
    assert Meter().throughput(1.0) == Throughput(phase="waiting")


def test_a_model_that_is_not_loaded_is_loaded_first() -> None:
    """The bytes are followed until the prompt is read."""
    meter = Meter()
    meter.start(Stopped())
    assert meter.throughput(0.0).phase == "loading"
    meter.take(LoadProgress("load", 30, 100), 1.0)
    assert (meter.throughput(1.0).load_done_bytes, meter.throughput(1.0).load_total_bytes) == (30, 100)
    meter.take(LOADED, 2.0)
    assert meter.throughput(2.0).phase == "reading"


def test_a_load_that_is_under_way_is_taken_up() -> None:
    """Asking while the model loads does not set the progress back."""
    meter = Meter()
    meter.start(Loading(60, 100))
    assert meter.throughput(0.0).load_done_bytes == 60


def test_reading_counts_only_what_is_read_now() -> None:
    """Tokens that were kept from before are shown, and are no part of the rate."""
    meter = Meter()
    meter.start(Ready(LOADED))
    meter.take(prefill(400, cached=400, reason="because"), 1.0)
    meter.take(prefill(600, cached=400, reason="because"), 1.5)
    shown = meter.throughput(1.5)
    assert (shown.done_tokens, shown.total_tokens, shown.cached_tokens) == (600, 1000, 400)
    assert (shown.reread_reason, shown.tokens_per_s, shown.context_tokens) == ("because", 400.0, 600)


@pytest.mark.parametrize("rate", [2.0, 30.0, 500.0])
def test_the_rate_is_that_of_the_last_second(rate: float) -> None:
    """A steady engine shows its speed, at any speed."""
    meter, now = answering(rate, 5)
    assert meter.throughput(now).tokens_per_s == pytest.approx(rate, rel=0.02)


def test_the_rate_follows_a_change_within_a_second() -> None:
    """What was before the last second does not count."""
    meter, now = answering(100, 3)
    for count in range(1, 11):
        meter.take(Delta("1", "answer", "x", 300 + count), now + count / 10)
    assert meter.throughput(now + 1.0).tokens_per_s == pytest.approx(10, rel=0.15)


def test_a_stall_shows_as_zero() -> None:
    """No token for more than a second is no speed."""
    meter, now = answering(100, 3)
    assert meter.throughput(now + 0.5).tokens_per_s == pytest.approx(50, rel=0.05)
    assert meter.throughput(now + 1.5).tokens_per_s == 0.0


def test_one_token_has_no_rate_yet() -> None:
    """A rate needs two."""
    meter, now = answering(1, 1)
    assert meter.throughput(now).tokens_per_s == 0.0


def test_the_time_to_the_first_token_begins_with_reading() -> None:
    """It is known from the first token on."""
    meter, now = answering(100, 1)
    assert meter.throughput(now).time_to_first_token_s == pytest.approx(0.51)
    assert (meter.throughput(now).generated_tokens, meter.throughput(now).context_tokens) == (100, 1100)


def test_the_history_is_bounded() -> None:
    """An hour's answer keeps a quarter of a minute of points."""
    meter, now = answering(100, 1)
    for _ in range(100):
        meter.tick(now)
    assert len(meter.throughput(now).history) == HISTORY


def test_the_history_begins_with_the_answer() -> None:
    """Loading and reading draw no line."""
    meter = Meter()
    meter.start(Starting())
    meter.tick(1.0)
    assert meter.throughput(1.0).history == ()


def test_a_finished_answer_has_its_stored_figures() -> None:
    """They are those of the statistics that the engine measured."""
    shown = of_message(message("a", "q", statistics=STATISTICS))
    assert (shown.phase, shown.tokens_per_s, shown.generated_tokens) == ("done", 50.5, 3)
    assert (shown.context_tokens, shown.cached_tokens, shown.time_to_first_token_s) == (15, 4, 0.1)


@pytest.mark.parametrize(
    ("state", "phase"),
    [(MessageState.FAILED, "failed"), (MessageState.STOPPED, "idle"), (MessageState.COMPLETE, "idle")],
)
def test_an_answer_without_figures_shows_none(state: MessageState, phase: str) -> None:
    """A failure is told; nothing else is invented."""
    assert of_message(message("a", "q", state=state)) == Throughput(phase=phase)


def test_an_engine_at_rest_shows_nothing() -> None:
    """Ready is no activity."""
    assert of_engine(Ready(LOADED)) == of_engine(Stopped()) == Throughput()
