"""The process that holds one model: requests come in on standard input, events go out on standard output.

Two threads. The main thread does all MLX work, one request after the other. The other one reads requests, puts them
into the inbox, and acts at once on what cannot wait:

- a cancelled request that is still waiting is answered; one that runs is stopped at its next step;
- a cancelled load ends the process, whatever it is doing: that is the surest way to give the memory back;
- the end of standard input ends the process too, so that no worker outlives its window.

If the load fails, that is told first, then everything that waits is answered, and the process ends with exit code 1.
"""

import contextlib
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator
from typing import IO, NoReturn

from mlx_engine import protocol
from mlx_engine.engine.children.inbox import Inbox
from mlx_engine.errors import EngineError
from mlx_engine.protocol import Cancel, Event, Finished, Load, MalformedRequest, RequestFailed


def main() -> NoReturn:
    """Serve requests until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Control-C in a terminal is for the program that the person talks to.
    requests, outbox = _take_pipes()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    inbox = Inbox()
    threading.Thread(target=_receive, args=(requests, inbox, outbox), daemon=True).start()
    # Importing MLX is most of the time that a small model takes to load: it begins before the first request has come.
    with file_limit_kept():
        from mlx_engine.engine.children.serving import serve  # noqa: PLC0415
    serve(inbox, outbox.send)
    _end(1)


class Outbox:
    """The pipe to the parent. Both threads write to it, a whole line at a time."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, event: Event) -> None:
        """Write the event. If nobody reads the pipe any more, the process ends."""
        line = protocol.encode(event)
        try:
            with self._lock:
                self._pipe.write(line)
                self._pipe.flush()
        except OSError:
            _end(0)


def _take_pipes() -> tuple[IO[bytes], Outbox]:
    """Keep standard input and output for the protocol; what others print goes to stderr, and they read nothing."""
    requests, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is needed, not a file's content
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, Outbox(events)


def _receive(requests: IO[bytes], inbox: Inbox, outbox: Outbox) -> None:
    for line in requests:
        try:
            request = protocol.decode_request(line)
        except MalformedRequest as error:
            outbox.send(RequestFailed(error.id, error.title, error.message))
            continue
        if isinstance(request, Cancel):
            _cancel(request.id, inbox, outbox)
        else:
            inbox.put(request)
    _end(0)


def _cancel(id: str, inbox: Inbox, outbox: Outbox) -> None:
    cancelled = inbox.cancel(id)
    if cancelled is not None:
        outbox.send(Finished(id, "cancelled"))
    if isinstance(cancelled, Load):
        for waiting in inbox.drain():
            outbox.send(RequestFailed(waiting.id, EngineError.title, "Loading the model was cancelled."))
        _end(0)


def _end(code: int) -> NoReturn:
    """End at once, from either thread, whatever native code the other one is in."""
    os._exit(code)


@contextlib.contextmanager
def file_limit_kept() -> Iterator[None]:
    """WORKAROUND(mlx-lm 0.32): its import sets the limit of open files, which can lower it or fail."""
    setrlimit = resource.setrlimit
    resource.setrlimit = lambda _resource, _limits: None
    try:
        yield
    finally:
        resource.setrlimit = setrlimit
