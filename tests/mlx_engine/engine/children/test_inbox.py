"""The queue between a worker's two threads."""

import threading

from mlx_engine.engine.children.inbox import Inbox
from mlx_engine.protocol import Generate, Load

LOAD = Load("load", "model")
ONE, TWO = (Generate(id=name, messages=()) for name in ("1", "2"))


def filled(*requests: Load | Generate) -> Inbox:
    inbox = Inbox()
    for request in requests:
        inbox.put(request)
    return inbox


def test_requests_come_out_in_their_order() -> None:
    """First come, first served."""
    inbox = filled(LOAD, ONE, TWO)
    assert [inbox.take() for _ in range(3)] == [LOAD, ONE, TWO]


def test_taking_waits_for_a_request() -> None:
    """The other thread's next request wakes the one that waits."""
    inbox, taken = Inbox(), []
    thread = threading.Thread(target=lambda: taken.append(inbox.take()))
    thread.start()
    inbox.put(ONE)
    thread.join(10)
    assert taken == [ONE]


def test_a_request_that_waits_is_removed_by_a_cancel() -> None:
    """The caller answers for it, once."""
    inbox = filled(ONE, TWO)
    assert [inbox.cancel("2"), inbox.cancel("2"), inbox.cancel("other")] == [TWO, None, None]
    assert inbox.drain() == [ONE]


def test_the_request_that_is_served_is_marked_by_a_cancel() -> None:
    """It answers for itself, and the mark ends with it."""
    inbox = filled(ONE, TWO)
    inbox.take()
    assert inbox.cancel("1") is None
    assert inbox.is_cancelled()
    inbox.take()
    assert not inbox.is_cancelled()


def test_a_load_is_returned_even_while_it_is_served() -> None:
    """The caller ends the process, which the load itself could not."""
    inbox = filled(LOAD)
    inbox.take()
    assert inbox.cancel("load") is LOAD
