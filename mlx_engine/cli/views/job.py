"""Views of a running job."""

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
        """Restore the terminal, however the job ended."""


class JobJsonView:
    """View with every event in the form of the protocol, one per line."""

    def show(self, event: JobEvent) -> None:
        if not isinstance(event, ProcessExited):
            sys.stdout.write(protocol.encode(event).decode())
            sys.stdout.flush()

    def end(self) -> None:
        """Nothing to restore."""


class StatusView:
    """View with one status line on a terminal: the text that `describe` returns for the latest event."""

    def __init__(self, describe: Callable[[JobEvent], str]) -> None:
        self._describe, self._status = describe, terminal.StatusLine()

    def show(self, event: JobEvent) -> None:
        if isinstance(event, PROGRESS):
            self._status.show(self._describe(event))

    def end(self) -> None:
        self._status.clear()


def show_all(events: Iterable[JobEvent], view: JobView) -> JobEvent | None:
    """Show a job until it ends or is stopped; return the last event."""
    event = None
    try:
        for event in events:
            view.show(event)
    finally:
        view.end()
    return event


def show_resumable(events: Iterable[JobEvent], view: JobView) -> None:
    """Show a job that resumes when its command is repeated; on Control-C, say so."""
    try:
        show_all(events, view)
    except KeyboardInterrupt:
        terminal.note("Stopped. To resume, run the same command again.\n")
        raise
