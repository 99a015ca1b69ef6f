"""The engine pool with Qt signals."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PySide6.QtCore import QThread, QTimer
from pytestqt.qtbot import QtBot

from app.viewmodels.bridges.engine import EngineBridge
from mlx_engine.engine.values.state import Failed, Loading, Ready, Starting, Stopped
from mlx_engine.errors import EngineError
from mlx_engine.protocol import ChatMessage, Delta, Finished, Generate, ProcessExited, RequestFailed
from tests.app.viewmodels.facet import TIMEOUT_MS
from tests.scripted_worker import Script, command

A, B = Path("models/owner/A"), Path("models/owner/B")
ASK = Generate(id="1", messages=(ChatMessage("user", "Hello"),))

pytestmark = pytest.mark.process


@pytest.fixture
def start(qapp: object, tmp_path: Path) -> Iterator[Callable[[Script], EngineBridge]]:
    bridges: list[EngineBridge] = []

    def start(script: Script) -> EngineBridge:
        bridges.append(EngineBridge(tmp_path, command=command(script)))
        return bridges[-1]

    yield start
    for bridge in bridges:
        bridge.close()


def until(qtbot: QtBot, bridge: EngineBridge, model: Path, state: type) -> None:
    qtbot.waitUntil(lambda: isinstance(bridge.state(model), state), timeout=TIMEOUT_MS)


def test_events_arrive_in_order_in_the_windows_thread(qtbot: QtBot, start: Callable[[Script], EngineBridge]) -> None:
    """Receivers may use widgets and the database."""
    bridge, events, threads = start(Script(answer="one two")), [], set()
    bridge.event_received.connect(lambda _, event: events.append(event))
    bridge.event_received.connect(lambda *_: threads.add(QThread.currentThread()))
    bridge.generate(A, ASK)
    qtbot.waitUntil(lambda: bool(events) and isinstance(events[-1], Finished), timeout=TIMEOUT_MS)
    assert [event.text for event in events if isinstance(event, Delta)] == ["one", " two"]
    assert threads == {bridge.thread()}


def test_each_state_is_emitted_once(qtbot: QtBot, start: Callable[[Script], EngineBridge]) -> None:
    """Starting, loading with progress, ready: each one differs from the one before."""
    bridge, states = start(Script(load_s=0.05)), []
    bridge.state_changed.connect(lambda model: states.append(bridge.state(model)))
    bridge.load(A)
    until(qtbot, bridge, A, Ready)
    assert [type(state) for state in states] == [Starting, *[Loading] * (len(states) - 2), Ready]
    assert len(set(states)) == len(states) > 3


def test_loading_another_model_emits_that_the_first_is_unloaded(
    qtbot: QtBot, start: Callable[[Script], EngineBridge]
) -> None:
    """The pool holds one model, and the other must no longer appear as ready."""
    bridge, gone = start(Script()), []
    bridge.load(A)
    until(qtbot, bridge, A, Ready)
    bridge.state_changed.connect(lambda model: gone.append((model, bridge.state(model))))
    bridge.load(B)
    assert (A, Stopped()) in gone
    assert bridge.memory_bytes(A) == 0 < bridge.memory_bytes(B)


def test_a_dead_engine_fails_its_request_with_the_reason(qtbot: QtBot, start: Callable[[Script], EngineBridge]) -> None:
    """The request fails before the exit is reported, and the state keeps the reason."""
    bridge, events = start(Script(die_at="decode")), []
    bridge.event_received.connect(lambda _, event: events.append(event))
    bridge.generate(A, ASK)
    until(qtbot, bridge, A, Failed)
    qtbot.waitUntil(lambda: isinstance(events[-1], ProcessExited), timeout=TIMEOUT_MS)
    assert isinstance(events[-2], RequestFailed)


def test_an_idle_model_is_unloaded(qtbot: QtBot, start: Callable[[Script], EngineBridge]) -> None:
    """After the timeout and not before; no timer runs afterwards."""
    bridge, states = start(Script()), []
    bridge.state_changed.connect(lambda model: states.append(type(bridge.state(model))))
    bridge.set_idle_timeout(0.1)
    bridge.load(A)
    qtbot.waitUntil(lambda: states[-1] is Stopped, timeout=TIMEOUT_MS)
    assert Ready in states
    assert not any(timer.isActive() for timer in bridge.findChildren(QTimer))


def test_no_timer_runs_without_a_timeout(qtbot: QtBot, start: Callable[[Script], EngineBridge]) -> None:
    """A timeout of 0 means never."""
    bridge = start(Script())
    bridge.set_idle_timeout(60)
    bridge.load(A)
    until(qtbot, bridge, A, Ready)
    assert any(timer.isActive() for timer in bridge.findChildren(QTimer))
    bridge.set_idle_timeout(0)
    assert not any(timer.isActive() for timer in bridge.findChildren(QTimer))


def test_an_engine_that_cannot_start_is_an_error(tmp_path: Path, qapp: object) -> None:
    """A missing program raises an error, and the state does not change."""
    bridge = EngineBridge(tmp_path, command=[str(tmp_path / "nothing")])
    with pytest.raises(EngineError):
        bridge.load(A)
    assert bridge.state(A) == Stopped()
    with suppress(RuntimeError):
        bridge.close()
