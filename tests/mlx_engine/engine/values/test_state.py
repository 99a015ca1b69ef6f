import pytest

from mlx_engine.engine.values.state import (
    LOAD_ID,
    EngineState,
    Failed,
    Generating,
    Loading,
    Ready,
    Starting,
    Stopped,
    advance,
)
from mlx_engine.protocol import (
    Delta,
    Event,
    Finished,
    Loaded,
    LoadProgress,
    Memory,
    Prefill,
    ProcessExited,
    RequestFailed,
)

LOADED = Loaded(id=LOAD_ID, context_length=2048, can_think=False, weights_bytes=10, load_s=1.0, device="cpu")
PREFILL = Prefill(id="a", done_tokens=0, total_tokens=5, cached_tokens=0)
CRASH = ProcessExited(returncode=-9, expected=False, reason="It was killed.", log_tail="last words")
END = ProcessExited(returncode=0, expected=True, reason="", log_tail="")


@pytest.mark.parametrize(
    ("state", "event", "expected"),
    [
        (Starting(), LoadProgress(LOAD_ID, 1, 10), Loading(1, 10)),
        (Loading(1, 10), LoadProgress(LOAD_ID, 5, 10), Loading(5, 10)),
        (Loading(5, 10), LOADED, Ready(LOADED)),
        (Starting(), LOADED, Ready(LOADED)),
        (Ready(LOADED), PREFILL, Generating(LOADED, "a")),
        (Generating(LOADED, "a"), Finished("a", "stop"), Ready(LOADED)),
        (Generating(LOADED, "a"), RequestFailed("a", "No", "Because."), Ready(LOADED)),
        (Loading(5, 10), RequestFailed(LOAD_ID, "Damaged", "Cut short."), Failed("Damaged", "Cut short.", "")),
        (Generating(LOADED, "a"), CRASH, Failed("The engine stopped", "It was killed.", "last words")),
        (Generating(LOADED, "a"), END, Stopped()),
    ],
)
def test_each_event_moves_the_state_one_step(state: EngineState, event: Event, expected: EngineState) -> None:
    """The life of an engine, one step per line."""
    assert advance(state, event) == expected


@pytest.mark.parametrize(
    "event",
    [Delta("a", "answer", "x", 1), Memory(1, 2), Finished("waiting", "cancelled"), RequestFailed("", "No", "No.")],
)
def test_events_of_another_request_change_nothing(event: Event) -> None:
    """Canceling a waiting request does not end the streaming answer."""
    state = Generating(LOADED, "a")

    assert advance(state, event) is state


def test_a_request_refused_during_the_load_does_not_fail_the_load() -> None:
    """Only the load's own id fails the load."""
    state = Loading(1, 10)

    assert advance(state, RequestFailed("a", "No", "Because.")) is state


def test_the_reason_of_a_failed_load_survives_the_exit() -> None:
    """The exit after a failed load only adds the log."""
    assert advance(Failed("Damaged", "Cut short.", ""), CRASH) == Failed("Damaged", "Cut short.", "last words")
