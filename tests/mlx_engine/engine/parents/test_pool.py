import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlx_engine.engine.parents.client import Parcel
from mlx_engine.engine.parents.pool import EnginePool
from mlx_engine.engine.values.state import LOAD_ID, Failed, Generating, Ready, Stopped
from mlx_engine.errors import InvalidParameter, RequestError
from mlx_engine.protocol import (
    ChatMessage,
    Delta,
    Event,
    Finished,
    Generate,
    Loaded,
    LoadProgress,
    ProcessExited,
    RequestFailed,
)
from mlx_engine.sampling import Sampling
from tests import processes, scripted_worker
from tests.scripted_worker import Script

FIRST, SECOND = Path("/models/owner/first"), Path("/models/owner/second")

pytestmark = pytest.mark.process


def question(id: str) -> Generate:
    return Generate(id=id, messages=(ChatMessage("user", "Say something."),))


class Owner:
    """The owner of a pool: passes parcels to it one by one."""

    def __init__(self, logs: Path, script: Script, limit: int = 1) -> None:
        self._parcels: queue.SimpleQueue[Parcel[Event]] = queue.SimpleQueue()
        self.events: list[tuple[Path, Event]] = []
        self.pool = EnginePool(
            post=self._parcels.put,
            on_event=lambda model, event: self.events.append((model, event)),
            logs=logs,
            limit=limit,
            command=scripted_worker.command(script),
        )

    def until(self, *kinds: type[Event], model: Path = FIRST) -> list[Event]:
        """Handle parcels until `model` has an event of each of `kinds`; return its events since the last call."""
        self.events.clear()
        while not all(any(isinstance(event, kind) for event in self._events_of(model)) for kind in kinds):
            self.pool.receive(self._parcels.get(timeout=20))
        return self._events_of(model)

    def _events_of(self, model: Path) -> list[Event]:
        return [event for of, event in self.events if of == model]


@pytest.fixture
def start_owner(tmp_path: Path) -> Iterator[Callable[..., Owner]]:
    """Make pools; all their workers end with the test."""
    owners: list[Owner] = []

    def start_owner(script: Script, limit: int = 1) -> Owner:
        owners.append(Owner(tmp_path, script, limit))
        return owners[-1]

    yield start_owner
    for owner in owners:
        owner.pool.close()


def test_a_request_loads_the_model_first(start_owner: Callable[..., Owner]) -> None:
    """An explicit load is not required."""
    owner = start_owner(Script())
    owner.pool.generate(FIRST, question("a"))
    events = owner.until(Finished)

    assert [event.id for event in events if isinstance(event, Loaded)] == [LOAD_ID]
    assert isinstance(owner.pool.state(FIRST), Ready)


def test_the_state_changes_before_the_event_is_reported(start_owner: Callable[..., Owner]) -> None:
    """In `on_event` the state already includes the event."""
    owner = start_owner(Script())
    owner.pool.generate(FIRST, question("a"))
    owner.until(Delta)

    state = owner.pool.state(FIRST)
    assert isinstance(state, Generating)
    assert state.request_id == "a"


def test_loading_twice_loads_once(start_owner: Callable[..., Owner]) -> None:
    """The second call has no effect."""
    owner = start_owner(Script())
    owner.pool.load(FIRST)
    owner.until(LoadProgress)
    owner.pool.load(FIRST)
    owner.until(Loaded)
    owner.pool.load(FIRST)
    assert isinstance(owner.pool.state(FIRST), Ready)


def test_a_death_fails_all_requests_before_it_is_reported(start_owner: Callable[..., Owner]) -> None:
    """No answer waits forever, and each failure has the reason."""
    owner = start_owner(Script(die_at="decode"))
    for name in ("a", "b"):
        owner.pool.generate(FIRST, question(name))
    *_, first, second, last = owner.until(ProcessExited)

    assert isinstance(last, ProcessExited)
    assert [first, second] == [RequestFailed(name, "The engine stopped", last.reason) for name in ("a", "b")]
    assert isinstance(owner.pool.state(FIRST), Failed)


@pytest.mark.parametrize("point", ["start", "load", "prefill", "decode"])
def test_the_next_request_replaces_a_dead_worker(
    start_owner: Callable[..., Owner], tmp_path: Path, point: scripted_worker.Point
) -> None:
    """At whatever stage it died."""
    owner = start_owner(Script(die_at=point, once=str(tmp_path / "died")))
    owner.pool.generate(FIRST, question("a"))
    owner.until(ProcessExited)
    owner.pool.generate(FIRST, question("b"))

    finished = owner.until(Finished)[-1]
    assert isinstance(finished, Finished)
    assert (finished.id, finished.finish_reason) == ("b", "stop")


def test_a_failed_load_fails_the_request_with_the_same_reason(start_owner: Callable[..., Owner]) -> None:
    """The message describes the problem with the model, not the end of a process."""
    owner = start_owner(Script(fail_load="A shard is cut short."))
    owner.pool.generate(FIRST, question("a"))
    events = owner.until(ProcessExited)

    assert RequestFailed("a", "This model is damaged", "A shard is cut short.") in events
    state = owner.pool.state(FIRST)
    assert isinstance(state, Failed)
    assert state.message == "A shard is cut short."


def test_unloading_cancels_requests_and_ends_the_process(start_owner: Callable[..., Owner]) -> None:
    """The streaming answer ends as canceled."""
    others = processes.children()
    owner = start_owner(Script(rate=50, tokens=10_000))
    owner.pool.generate(FIRST, question("a"))
    owner.until(Delta)
    (worker,) = processes.children() - others
    owner.pool.unload(FIRST)
    events = owner.until(ProcessExited)

    assert Finished("a", "cancelled") in events
    assert owner.pool.state(FIRST) == Stopped()
    assert owner.pool.memory_bytes(FIRST) == 0
    assert not worker.is_running()


def test_memory_that_is_not_resident_counts(start_owner: Callable[..., Owner]) -> None:
    """Memory held by MLX may exceed the resident memory of the process."""
    owner = start_owner(Script(held_bytes=2**50))
    owner.pool.generate(FIRST, question("a"))
    owner.until(Loaded)
    assert 0 < owner.pool.memory_bytes(FIRST) < 2**50
    owner.until(Finished)
    assert owner.pool.memory_bytes(FIRST) == 2**50


def test_a_new_model_replaces_the_least_recently_used_one(start_owner: Callable[..., Owner]) -> None:
    """With a limit of two, the third model replaces one of them."""
    third = Path("/models/owner/third")
    owner = start_owner(Script(), limit=2)
    for model in (FIRST, SECOND, FIRST, third):
        owner.pool.generate(model, question("a"))
        owner.until(Finished, model=model)

    states = [type(owner.pool.state(model)) for model in (FIRST, SECOND, third)]
    assert states == [Ready, Stopped, Ready]


def test_a_model_can_be_loaded_again_while_its_old_worker_ends(start_owner: Callable[..., Owner]) -> None:
    """Late events of the old process do not change the state of the new one."""
    owner = start_owner(Script())
    owner.pool.load(FIRST)
    owner.until(Loaded)
    owner.pool.unload(FIRST)
    owner.pool.generate(FIRST, question("a"))
    owner.until(ProcessExited, Finished)
    assert isinstance(owner.pool.state(FIRST), Ready)


@pytest.mark.parametrize("script", [Script(load_s=600), Script(prefill_s=600), Script(rate=0.01)])
def test_a_request_can_be_canceled_at_any_stage(start_owner: Callable[..., Owner], script: Script) -> None:
    """It ends as canceled."""
    owner = start_owner(script)
    owner.pool.generate(FIRST, question("a"))
    owner.until(LoadProgress)
    owner.pool.cancel("a")
    owner.pool.cancel("unknown")

    finished = owner.until(Finished)[-1]
    assert isinstance(finished, Finished)
    assert finished.finish_reason == "cancelled"


@pytest.mark.parametrize(
    "messages",
    [(), (ChatMessage("user", " \n"),), (ChatMessage("assistant", "Hello."),)],
)
def test_an_invalid_request_is_refused_before_a_worker_starts(
    start_owner: Callable[..., Owner], messages: tuple[ChatMessage, ...]
) -> None:
    """No message, an empty one, or one that is not the user's."""
    owner = start_owner(Script())

    with pytest.raises(RequestError):
        owner.pool.generate(FIRST, Generate(id="a", messages=messages))
    assert owner.pool.state(FIRST) == Stopped()


def test_sampling_out_of_range_is_refused_with_the_range(start_owner: Callable[..., Owner]) -> None:
    """The request never reaches the worker."""
    owner = start_owner(Script())
    request = Generate(id="a", messages=(ChatMessage("user", "Hello."),), sampling=Sampling(top_p=1.5))

    with pytest.raises(InvalidParameter, match=r"top_p is 1\.5"):
        owner.pool.generate(FIRST, request)


def test_only_idle_models_are_unloaded(start_owner: Callable[..., Owner]) -> None:
    """A model with a long answer is not idle."""
    owner = start_owner(Script(rate=50, tokens=10_000))
    owner.pool.generate(FIRST, question("a"))
    owner.until(Delta)
    assert owner.pool.unload_idle(0) == []

    owner.pool.cancel("a")
    owner.until(Finished)
    assert owner.pool.unload_idle(3600) == []
    assert owner.pool.unload_idle(0) == [FIRST]
    assert owner.pool.state(FIRST) == Stopped()
