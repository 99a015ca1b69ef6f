import os
import queue
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mlx_engine.engine.parents.job_session import JobSession, SessionParcel
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import JobFailed, ReadModel, Search, SearchFilters, SearchResults, WhoAmI
from tests.hub.faults import Hold
from tests.hub.fixtures import add_model
from tests.hub.server import Hub


class Owner:
    """The thread that owns a session."""

    def __init__(self, logs: Path) -> None:
        self._parcels: queue.SimpleQueue[SessionParcel] = queue.SimpleQueue()
        self.events: list[JobEvent] = []
        self.session = JobSession(post=self._parcels.put, on_event=self.events.append, logs=logs)

    def next(self) -> JobEvent:
        """Take in parcels until there is an event; return it."""
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


def job_process() -> psutil.Process:
    living = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return next(child for child in living if child.cmdline()[-1] == "job" and is_newest(child))


def is_newest(process: psutil.Process) -> bool:
    return all(process.create_time() >= other.create_time() for other in psutil.Process().children())


def test_questions_are_answered_in_order_by_one_process(hub: Hub, owner: Owner) -> None:
    """Two are asked at once; a third one later meets the same process."""
    add_model(hub, "session/one")
    owner.session.ask(search("a"))
    owner.session.ask(WhoAmI("b"))
    assert [owner.next().id, owner.next().id] == ["a", "b"]
    before = job_process().pid
    owner.session.ask(search("c"))
    assert owner.next().id == "c"
    assert job_process().pid == before


def test_a_process_that_dies_fails_its_questions_and_not_the_next(hub: Hub, owner: Owner) -> None:
    """Each is told once, with the reason."""
    owner.session.ask(search("a"))
    owner.session.ask(search("b"))
    os.kill(job_process().pid, signal.SIGKILL)
    failures = [owner.next(), owner.next()]
    assert all(isinstance(failure, JobFailed) and "killed" in failure.message for failure in failures)
    owner.session.ask(search("c"))
    assert isinstance(owner.next(), SearchResults)


def test_a_dropped_question_holds_up_nothing(hub: Hub, owner: Owner) -> None:
    """The Hub hangs on the first one; the second is answered, and the first never."""
    add_model(hub, "session/card")
    hold = Hold(after_bytes=0)
    hub.order("README.md", hold)
    owner.session.ask(ReadModel("slow", "session/card"))
    assert hold.reached.wait(20)
    owner.session.drop()
    owner.session.ask(search("next"))
    assert owner.next().id == "next"


def test_nothing_is_started_before_there_is_a_question(hub: Hub, owner: Owner) -> None:
    """And closing what was never started is no error."""
    before = len(psutil.Process().children())
    owner.session.drop()
    owner.session.close()
    assert len(psutil.Process().children()) == before
