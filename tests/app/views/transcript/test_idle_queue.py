from collections.abc import Iterator

from PySide6.QtCore import QObject
from shiboken6 import delete

from app.views.transcript.idle_queue import IdleQueue


def steps(name: str, count: int, log: list[str]) -> Iterator[None]:
    for _ in range(count):
        log.append(name)
        yield


def test_jobs_run_in_order_and_urgent_jobs_first(qapp: object) -> None:
    """Formulas are drawn before further messages are built."""
    queue, log = IdleQueue(), list[str]()
    queue.add(steps("a", 2, log), queue)
    queue.add(steps("b", 1, log), queue)
    queue.add(steps("urgent", 1, log), queue, is_urgent=True)
    queue.finish()
    assert log == ["urgent", "a", "a", "b"]


def test_a_job_ends_with_its_owner(qapp: object) -> None:
    """Leaving a conversation deletes widgets with work in the queue."""
    queue, owner, log = IdleQueue(), QObject(), list[str]()
    queue.add(steps("a", 2, log), owner)
    delete(owner)
    queue.finish()
    assert log == []


def test_a_dropped_job_never_runs(qapp: object) -> None:
    """A replaced text is not laid out any further."""
    queue, log = IdleQueue(), list[str]()
    job = steps("a", 2, log)
    queue.add(job, queue)
    queue.drop(job)
    queue.finish()
    assert log == []
