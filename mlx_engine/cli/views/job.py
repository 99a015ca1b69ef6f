"""How a job is shown while it runs: a view is told every event, and the end."""

import sys
from collections.abc import Callable, Iterable
from typing import Protocol

from mlx_engine import protocol
from mlx_engine.cli.views import terminal
from mlx_engine.engine.values.job_messages import PROGRESS, JobEvent
from mlx_engine.protocol import ProcessExited


class JobView(Protocol):
    def show(self, event: JobEvent) -> None:
        """Show one event of the job."""

    def end(self) -> None:
        """Leave the terminal in order, however the job ended."""


class JsonView:
    """Every event as it is in the protocol, one a line."""

    def show(self, event: JobEvent) -> None:
        if not isinstance(event, ProcessExited):
            sys.stdout.write(protocol.encode(event).decode())
            sys.stdout.flush()

    def end(self) -> None:
        """There is nothing to put in order."""


class StatusView:
    """One line on a terminal that is written over: what `words` say of an event."""

    def __init__(self, words: Callable[[JobEvent], str]) -> None:
        self._words, self._status = words, terminal.StatusLine()

    def show(self, event: JobEvent) -> None:
        if isinstance(event, PROGRESS):
            self._status.show(self._words(event))

    def end(self) -> None:
        self._status.clear()


def show_all(events: Iterable[JobEvent], view: JobView) -> JobEvent | None:
    """Show a job until its end, or until it is stopped; return the last event."""
    event = None
    try:
        for event in events:
            view.show(event)
    finally:
        view.end()
    return event


def show_resumable(events: Iterable[JobEvent], view: JobView) -> None:
    """Show a job that goes on where it was when it is asked for again; whoever stops it is told so."""
    try:
        show_all(events, view)
    except KeyboardInterrupt:
        terminal.note("Stopped. The same command goes on where it was.\n")
        raise
