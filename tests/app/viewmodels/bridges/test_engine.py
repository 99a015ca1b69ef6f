"""Where the engine's threads meet the window."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PySide6.QtCore import QThread, QTimer
from pytestqt.qtbot import QtBot

from app.viewmodels.bridges.engine import EngineBridge
from mlx_engine.engine.values.state import Failed, Loading, Ready, Starting, Stopped
from mlx_engine.errors import EngineError
from mlx_engine.protocol import ChatMessage, Delta, Finished, Generate, RequestFailed, WorkerExited
from tests.app.viewmodels.facet import TIMEOUT_MS
from tests.scripted_worker import Script, command

A, B = Path("models/owner/A"), Path("models/owner/B")
ASK = Generate(id="1", messages=(ChatMessage("user", "Hello"),))


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
    """Whoever listens may touch widgets and the database."""
    bridge, told, threads = start(Script(answer="one two")), [], set()
    bridge.told.connect(lambda _, event: told.append(event))
    bridge.told.connect(lambda *_: threads.add(QThread.currentThread()))
    bridge.generate(A, ASK)
    qtbot.waitUntil(lambda: bool(told) and isinstance(told[-1], Finished), timeout=TIMEOUT_MS)
    assert [event.text for event in told if isinstance(event, Delta)] == ["one", " two"]
    assert threads == {bridge.thread()}


def test_states_are_told_once_each(qtbot: QtBot, start: Callable[[Script], EngineBridge]) -> None:
    """Starting, loading with progress, ready: every state is new when it is told."""
    bridge, states = start(Script(load_s=0.05)), []
    bridge.state_changed.connect(lambda model: states.append(bridge.state(model)))
    bridge.load(A)
    until(qtbot, bridge, A, Ready)
    assert [type(state) for state in states] == [Starting, *[Loading] * (len(states) - 2), Ready]
    assert len(set(states)) == len(states) > 3


def test_loading_another_model_tells_that_the_first_is_gone(
    qtbot: QtBot, start: Callable[[Script], EngineBridge]
) -> None:
    """There is room for one; the other's row must not go on saying that it is ready."""
    bridge, gone = start(Script()), []
    bridge.load(A)
    until(qtbot, bridge, A, Ready)
    bridge.state_changed.connect(lambda model: gone.append((model, bridge.state(model))))
    bridge.load(B)
    assert (A, Stopped()) in gone
    assert bridge.memory_bytes(A) == 0 < bridge.memory_bytes(B)


def test_a_dead_engine_fails_its_request_and_says_why(qtbot: QtBot, start: Callable[[Script], EngineBridge]) -> None:
    """The request ends before the death is told, and the state keeps the reason."""
    bridge, told = start(Script(die_at="decode")), []
    bridge.told.connect(lambda _, event: told.append(event))
    bridge.generate(A, ASK)
    until(qtbot, bridge, A, Failed)
    qtbot.waitUntil(lambda: isinstance(told[-1], WorkerExited), timeout=TIMEOUT_MS)
    assert isinstance(told[-2], RequestFailed)


def test_an_idle_model_is_unloaded(qtbot: QtBot, start: Callable[[Script], EngineBridge]) -> None:
    """After the time that was set, and not before; no timer runs afterwards."""
    bridge = start(Script())
    bridge.unload_after(0.3)
    bridge.load(A)
    until(qtbot, bridge, A, Ready)
    until(qtbot, bridge, A, Stopped)
    assert not any(timer.isActive() for timer in bridge.findChildren(QTimer))


def test_without_a_limit_no_timer_runs(qtbot: QtBot, start: Callable[[Script], EngineBridge]) -> None:
    """Zero minutes is never."""
    bridge = start(Script())
    bridge.unload_after(60)
    bridge.load(A)
    until(qtbot, bridge, A, Ready)
    assert any(timer.isActive() for timer in bridge.findChildren(QTimer))
    bridge.unload_after(0)
    assert not any(timer.isActive() for timer in bridge.findChildren(QTimer))


def test_an_engine_that_cannot_be_started_is_told(tmp_path: Path, qapp: object) -> None:
    """A missing program is an error of Facet's own, and the state stays what it was."""
    bridge = EngineBridge(tmp_path, command=[str(tmp_path / "nothing")])
    with pytest.raises(EngineError):
        bridge.load(A)
    assert bridge.state(A) == Stopped()
    with suppress(RuntimeError):
        bridge.close()
