import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlx_engine import network
from mlx_engine.engine.parents.client import Parcel
from mlx_engine.engine.parents.job_session import JobSession
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import ReadModel, Search, SearchFilters, SearchResults, WhoAmI
from mlx_engine.protocol import RequestFailed
from mlx_engine.quantize.plan.messages import OutlineRead, ReadOutline
from tests import processes
from tests.hub.faults import Hold
from tests.hub.fixtures import add_model
from tests.hub.server import Hub

pytestmark = pytest.mark.process


class Owner:
    """The owner of a session: passes parcels to it."""

    def __init__(self, logs: Path) -> None:
        self._parcels: queue.SimpleQueue[Parcel[JobEvent]] = queue.SimpleQueue()
        self.events: list[JobEvent] = []
        self.session = JobSession(post=self._parcels.put, on_reply=self.events.append, logs=logs)

    def next(self) -> JobEvent:
        """Handle parcels until there is an event; return it."""
        while not self.events:
            self.session.receive(self._parcels.get(timeout=20))
        return self.events.pop(0)


@pytest.fixture
def owner(hub: Hub, tmp_path: Path) -> Iterator[Owner]:
    owner = Owner(tmp_path)
    yield owner
    owner.session.close()


def search(id: str, text: str = "") -> Search:
    return Search(id, SearchFilters(text=text, only_mlx=False))


def test_questions_are_answered_in_order_by_one_process(hub: Hub, owner: Owner) -> None:
    """Two questions at once, and a later third one, meet the same process."""
    add_model(hub, "session/one")
    before = processes.children()
    owner.session.ask(search("a"))
    owner.session.ask(WhoAmI("b"))
    assert [owner.next().id, owner.next().id] == ["a", "b"]
    (first,) = processes.children() - before
    owner.session.ask(search("c"))
    assert owner.next().id == "c"
    assert processes.children() - before == {first}


def test_a_dead_process_fails_its_questions_but_not_the_next(hub: Hub, owner: Owner) -> None:
    """Each one fails once, with the reason."""
    add_model(hub, "session/killed")
    hold = Hold(after_bytes=0)
    hub.inject("README.md", hold)
    before = processes.children()
    owner.session.ask(ReadModel("a", "session/killed"))
    owner.session.ask(search("b"))
    assert hold.reached.wait(20)
    (process,) = processes.children() - before
    process.kill()
    failures = [owner.next(), owner.next()]
    assert all(isinstance(failure, RequestFailed) and "killed" in failure.message for failure in failures)
    owner.session.ask(search("c"))
    assert isinstance(owner.next(), SearchResults)


def test_a_dropped_question_does_not_delay_the_next(hub: Hub, owner: Owner) -> None:
    """The Hub hangs on the first one; only the second one is answered."""
    add_model(hub, "session/card")
    hold = Hold(after_bytes=0)
    hub.inject("README.md", hold)
    owner.session.ask(ReadModel("slow", "session/card"))
    assert hold.reached.wait(20)
    owner.session.drop()
    owner.session.ask(search("next"))
    assert owner.next().id == "next"


def test_no_process_starts_before_the_first_question(hub: Hub, owner: Owner) -> None:
    """Closing a session without a process is not an error."""
    before = processes.children()
    owner.session.drop()
    owner.session.close()
    assert processes.children() <= before


def test_a_local_question_gets_a_process_without_network_access(hub: Hub, owner: Owner, tiny_models: Path) -> None:
    """The process that asked the Hub is replaced, and its open question fails."""
    add_model(hub, "session/open")
    hold = Hold(after_bytes=0)
    hub.inject("README.md", hold)
    before = processes.children()
    owner.session.ask(ReadModel("online", "session/open"))
    assert hold.reached.wait(20)
    (online,) = processes.children() - before
    owner.session.ask(ReadOutline("local", str(tiny_models / "llama")))
    failure, outline = owner.next(), owner.next()
    assert isinstance(failure, RequestFailed)
    assert (failure.id, failure.error) == ("online", "NotAnswered")
    assert isinstance(outline, OutlineRead)
    (local,) = processes.children() - before
    assert local != online
    assert local.environ()[network.OFFLINE_VARIABLE] == "1"
