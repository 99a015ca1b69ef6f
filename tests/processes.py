"""Child processes of the tests, which may end at any moment."""

import contextlib
import os
import signal

import psutil


def children() -> set[psutil.Process]:
    """Return the running processes below this one."""
    return {child for child in psutil.Process().children(recursive=True) if _is_alive(child)}


def _is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def kill(process: psutil.Process) -> None:
    """End the process by signal 9, unless it has already ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def interrupt(pid: int) -> None:
    """Press Control-C once the process is waiting for something.

    WORKAROUND(CPython 3.11): a signal that arrives between Python's check for signals and its sleep is handled only
    when it wakes up, and a process that waits for a paused child never does.
    """
    while psutil.Process(pid).status() != psutil.STATUS_SLEEPING:
        os.sched_yield()
    os.kill(pid, signal.SIGINT)
