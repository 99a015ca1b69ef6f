"""The queue between a worker's two threads."""

import threading

from mlx_engine.engine.children.inbox import Inbox
from mlx_engine.protocol import Generate, Load

LOAD = Load("load", "model")
FIRST, SECOND = (Generate(id=name, messages=()) for name in ("1", "2"))


def filled(*requests: Load | Generate) -> Inbox:
    inbox = Inbox()
    for request in requests:
        inbox.put(request)
    return inbox


def test_requests_are_taken_in_order() -> None:
    """First in, first out."""
    inbox = filled(LOAD, FIRST, SECOND)
    assert [inbox.take() for _ in range(3)] == [LOAD, FIRST, SECOND]


def test_taking_waits_for_a_request() -> None:
    """A request from the other thread wakes the waiting one."""
    inbox, requests = Inbox(), []
    thread = threading.Thread(target=lambda: requests.append(inbox.take()))
    thread.start()
    inbox.put(FIRST)
    thread.join(10)
    assert requests == [FIRST]


def test_canceling_removes_a_waiting_request() -> None:
    """The caller reports its end, once."""
    inbox = filled(FIRST, SECOND)
    assert [inbox.cancel("2"), inbox.cancel("2"), inbox.cancel("other")] == [SECOND, None, None]
    assert inbox.drain() == [FIRST]


def test_canceling_marks_the_current_request() -> None:
    """The request reports its own end, and the next one is not marked."""
    inbox = filled(FIRST, SECOND)
    inbox.take()
    assert inbox.cancel("1") is None
    assert inbox.is_cancelled()
    inbox.take()
    assert not inbox.is_cancelled()


def test_canceling_returns_a_load_in_progress() -> None:
    """The caller ends the process, which the load itself cannot do."""
    inbox = filled(LOAD)
    inbox.take()
    assert inbox.cancel("load") is LOAD
