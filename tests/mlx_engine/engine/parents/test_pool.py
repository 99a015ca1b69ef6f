import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mlx_engine.engine.parents.pool import EnginePool, PoolEvent
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
    RequestFailed,
    WorkerExited,
)
from mlx_engine.sampling import Sampling
from tests import scripted_worker
from tests.scripted_worker import Script

FIRST, SECOND = Path("/models/owner/first"), Path("/models/owner/second")


def question(id: str) -> Generate:
    return Generate(id=id, messages=(ChatMessage("user", "Say something."),))


class Owner:
    """The thread that owns a pool: it takes in the parcels one by one."""

    def __init__(self, logs: Path, script: Script, limit: int = 1) -> None:
        self._parcels: queue.SimpleQueue[PoolEvent] = queue.SimpleQueue()
        self.events: list[tuple[Path, Event]] = []
        self.pool = EnginePool(
            post=self._parcels.put,
            on_event=lambda model, event: self.events.append((model, event)),
            logs=logs,
            limit=limit,
            command=scripted_worker.command(script),
        )

    def until(self, kind: type[Event], model: Path = FIRST) -> list[Event]:
        """Take in parcels up to the next event of `kind` of `model`; return that model's events since the last call."""
        self.events.clear()
        while not any(isinstance(event, kind) for of, event in self.events if of == model):
            self.pool.receive(self._parcels.get(timeout=20))
        return [event for of, event in self.events if of == model]


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Callable[..., Owner]]:
    """Make pools; all their workers end with the test."""
    owners: list[Owner] = []

    def own(script: Script, limit: int = 1) -> Owner:
        owners.append(Owner(tmp_path, script, limit))
        return owners[-1]

    yield own
    for owner in owners:
        owner.pool.close()


def test_a_question_loads_the_model_first(own: Callable[..., Owner]) -> None:
    """Nobody has to load before they ask."""
    owner = own(Script())
    owner.pool.generate(FIRST, question("a"))
    events = owner.until(Finished)

    assert [event.id for event in events if isinstance(event, Loaded)] == [LOAD_ID]
    assert isinstance(owner.pool.state(FIRST), Ready)


def test_the_state_is_new_before_the_event_is_told(own: Callable[..., Owner]) -> None:
    """Who reads the state in `on_event` reads what the event has made of it."""
    owner = own(Script())
    owner.pool.generate(FIRST, question("a"))
    owner.until(Delta)

    state = owner.pool.state(FIRST)
    assert isinstance(state, Generating)
    assert state.request_id == "a"


def test_loading_twice_is_loading_once(own: Callable[..., Owner]) -> None:
    """A second click changes nothing."""
    owner = own(Script())
    owner.pool.load(FIRST)
    owner.until(LoadProgress)
    owner.pool.load(FIRST)
    owner.until(Loaded)
    owner.pool.load(FIRST)
    assert isinstance(owner.pool.state(FIRST), Ready)


def test_a_death_fails_every_request_before_it_is_told(own: Callable[..., Owner]) -> None:
    """No answer waits for ever, and each failure says why."""
    owner = own(Script(die_at="decode"))
    for name in ("a", "b"):
        owner.pool.generate(FIRST, question(name))
    *_, first, second, last = owner.until(WorkerExited)

    assert isinstance(last, WorkerExited)
    assert [first, second] == [RequestFailed(name, "The engine stopped", last.reason) for name in ("a", "b")]
    assert isinstance(owner.pool.state(FIRST), Failed)


@pytest.mark.parametrize("point", ["start", "load", "prefill", "decode"])
def test_the_next_question_starts_a_dead_worker_anew(
    own: Callable[..., Owner], tmp_path: Path, point: scripted_worker.Point
) -> None:
    """Whenever it died, the person only asks again."""
    owner = own(Script(die_at=point, once=str(tmp_path / "died")))
    owner.pool.generate(FIRST, question("a"))
    owner.until(WorkerExited)
    owner.pool.generate(FIRST, question("b"))

    finished = owner.until(Finished)[-1]
    assert isinstance(finished, Finished)
    assert (finished.id, finished.finish_reason) == ("b", "stop")


def test_a_failed_load_fails_the_question_for_its_reason(own: Callable[..., Owner]) -> None:
    """The person reads what is wrong with the model, not that a process ended."""
    owner = own(Script(fail_load="A shard is cut short."))
    owner.pool.generate(FIRST, question("a"))
    events = owner.until(WorkerExited)

    assert RequestFailed("a", "This model is damaged", "A shard is cut short.") in events
    state = owner.pool.state(FIRST)
    assert isinstance(state, Failed)
    assert state.message == "A shard is cut short."


def test_unloading_cancels_and_gives_the_memory_back(own: Callable[..., Owner]) -> None:
    """What streamed ends as cancelled, and the process is gone."""
    others = psutil.Process().children()
    owner = own(Script(rate=50, tokens=10_000))
    owner.pool.generate(FIRST, question("a"))
    owner.until(Delta)
    children = [child for child in psutil.Process().children() if child not in others]
    assert children
    owner.pool.unload(FIRST)
    events = owner.until(WorkerExited)

    assert Finished("a", "cancelled") in events
    assert owner.pool.state(FIRST) == Stopped()
    assert owner.pool.memory_bytes(FIRST) == 0
    assert not any(child.is_running() for child in children)


def test_memory_that_is_not_resident_counts(own: Callable[..., Owner]) -> None:
    """What MLX tells that it holds may be more than the system sees in the process."""
    owner = own(Script(held_bytes=2**50))
    owner.pool.generate(FIRST, question("a"))
    owner.until(Loaded)
    assert 0 < owner.pool.memory_bytes(FIRST) < 2**50
    owner.until(Finished)
    assert owner.pool.memory_bytes(FIRST) == 2**50


def test_a_second_model_takes_the_place_of_the_one_used_longest_ago(own: Callable[..., Owner]) -> None:
    """With room for two, the third ends the one that has waited longest."""
    third = Path("/models/owner/third")
    owner = own(Script(), limit=2)
    for model in (FIRST, SECOND, FIRST, third):
        owner.pool.generate(model, question("a"))
        owner.until(Finished, model)

    states = [type(owner.pool.state(model)) for model in (FIRST, SECOND, third)]
    assert states == [Ready, Stopped, Ready]


def test_a_model_can_be_loaded_again_while_its_old_worker_still_ends(own: Callable[..., Owner]) -> None:
    """What the old process still says does not touch the state of the new one."""
    owner = own(Script())
    owner.pool.load(FIRST)
    owner.until(Loaded)
    owner.pool.unload(FIRST)
    owner.pool.generate(FIRST, question("a"))
    owner.until(WorkerExited)
    assert owner.pool.state(FIRST) != Stopped()

    owner.until(Finished)
    assert isinstance(owner.pool.state(FIRST), Ready)


@pytest.mark.parametrize("script", [Script(load_s=600), Script(prefill_s=600), Script(rate=0.01)])
def test_a_request_can_be_cancelled_at_any_time(own: Callable[..., Owner], script: Script) -> None:
    """It ends as cancelled."""
    owner = own(script)
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
def test_what_cannot_be_answered_is_refused_before_anything_starts(
    own: Callable[..., Owner], messages: tuple[ChatMessage, ...]
) -> None:
    """No message at all, an empty one, or one that is not the person's."""
    owner = own(Script())

    with pytest.raises(RequestError):
        owner.pool.generate(FIRST, Generate(id="a", messages=messages))
    assert owner.pool.state(FIRST) == Stopped()


def test_sampling_out_of_range_is_refused_with_the_range(own: Callable[..., Owner]) -> None:
    """MLX never sees it."""
    owner = own(Script())
    request = Generate(id="a", messages=(ChatMessage("user", "Hello."),), sampling=Sampling(top_p=1.5))

    with pytest.raises(InvalidParameter, match=r"top_p is 1\.5"):
        owner.pool.generate(FIRST, request)


def test_only_models_with_nothing_to_do_are_unloaded_when_idle(own: Callable[..., Owner]) -> None:
    """A long answer is not idleness."""
    owner = own(Script(rate=50, tokens=10_000))
    owner.pool.generate(FIRST, question("a"))
    owner.until(Delta)
    assert owner.pool.unload_idle(0) == []

    owner.pool.cancel("a")
    owner.until(Finished)
    assert owner.pool.unload_idle(3600) == []
    assert owner.pool.unload_idle(0) == [FIRST]
    assert owner.pool.state(FIRST) == Stopped()
