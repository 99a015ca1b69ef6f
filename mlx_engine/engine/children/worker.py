"""The process that runs one model: requests come in on standard input, events go out on standard output.

Two threads. The main thread does all MLX work, one request after the other. The other one reads requests, puts them
into the inbox, and handles these cases at once:

- a waiting request is canceled right away; a running one stops at its next step;
- canceling a load ends the process, whatever it is doing: that is the surest way to release the memory;
- the end of standard input ends the process too, so that no worker outlives its parent.

If the load fails, its failure is reported first, then that of every waiting request, and the process ends with exit
code 1.
"""

import contextlib
import logging
import resource
import threading
from collections.abc import Iterator
from typing import IO, NoReturn

from mlx_engine import protocol
from mlx_engine.engine.children.child_pipes import end_process, open_pipes
from mlx_engine.engine.children.inbox import Inbox
from mlx_engine.errors import EngineError
from mlx_engine.protocol import Cancel, Event, Finished, Load, MalformedRequest, RequestFailed


def main() -> NoReturn:
    """Serve requests until standard input closes."""
    requests, events = open_pipes(logging.INFO)
    inbox, outbox = Inbox(), Outbox(events)
    threading.Thread(target=_receive, args=(requests, inbox, outbox), daemon=True).start()
    # Importing MLX is most of a small model's load time, so it does not wait for the first request.
    with keep_file_limit():
        from mlx_engine.engine.children.serving import serve  # noqa: PLC0415
    serve(inbox, outbox.send)
    end_process(1)


class Outbox:
    """The pipe to the parent. Both threads write to it, a whole line at a time."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, event: Event) -> None:
        """Write the event. If the parent has closed the pipe, the process ends."""
        line = protocol.encode(event)
        try:
            with self._lock:
                self._pipe.write(line)
                self._pipe.flush()
        except OSError:
            end_process()


def _receive(requests: IO[bytes], inbox: Inbox, outbox: Outbox) -> None:
    for line in requests:
        try:
            request = protocol.decode_request(line)
        except MalformedRequest as error:
            outbox.send(RequestFailed.from_error(error.id, error))
            continue
        if isinstance(request, Cancel):
            _cancel(request.id, inbox, outbox)
        else:
            inbox.put(request)
    end_process()


def _cancel(id: str, inbox: Inbox, outbox: Outbox) -> None:
    canceled = inbox.cancel(id)
    if canceled is not None:
        outbox.send(Finished(id, "cancelled"))
    if isinstance(canceled, Load):
        for waiting in inbox.drain():
            outbox.send(RequestFailed.from_error(waiting.id, EngineError("Loading the model was canceled.")))
        end_process()


@contextlib.contextmanager
def keep_file_limit() -> Iterator[None]:
    """WORKAROUND(mlx-lm 0.32): importing it sets the limit of open files, which can lower the limit or fail."""
    setrlimit = resource.setrlimit
    resource.setrlimit = lambda _resource, _limits: None
    try:
        yield
    finally:
        resource.setrlimit = setrlimit
