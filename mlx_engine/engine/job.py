"""The process that does a job: requests come in on standard input, events go out on standard output.

Requests are served one after the other. The end of standard input ends the process at once, whatever it is doing:
everything here can be taken up again as after a kill.
"""

import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from typing import IO, NoReturn

import msgspec

from mlx_engine import job_protocol, protocol
from mlx_engine.errors import EngineError, FacetError, HubBusy
from mlx_engine.job_protocol import (
    Account,
    Download,
    JobEvent,
    JobFailed,
    JobRequest,
    ReadModel,
    Search,
    SearchResults,
    SignIn,
    SignOut,
    WhoAmI,
)

_log = logging.getLogger(__name__)


def main() -> NoReturn:
    """Serve requests until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Control-C in a terminal is for the program that the person talks to.
    requests, events = _take_pipes()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    inbox: queue.SimpleQueue[JobRequest | JobFailed] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests, inbox), daemon=True).start()
    while True:
        for event in answer(inbox.get()):
            try:
                events.write(protocol.encode(event))
                events.flush()
            except OSError:  # Nobody reads any more.
                _end()


def answer(request: JobRequest | JobFailed) -> Iterator[JobEvent]:
    """Yield the events of one request; the last one tells its end, good or bad."""
    if isinstance(request, JobFailed):
        yield request
        return
    try:
        yield from _serve(request)
    except FacetError as error:
        yield failure(request.id, error)
    except Exception as error:  # noqa: BLE001 - the next request must be served all the same
        _log.exception("A job failed")
        yield failure(request.id, EngineError(f"The job failed unexpectedly: {error}."))


def failure(id: str, error: FacetError) -> JobFailed:
    return JobFailed(
        id=id,
        error=type(error).__name__,
        title=error.title,
        message=error.message,
        retry_after_s=error.retry_after_s if isinstance(error, HubBusy) else 0,
    )


def _serve(request: JobRequest) -> Iterator[JobEvent]:
    # Importing the Hub's library takes half a second: it begins when it is needed.
    from mlx_engine.models.hub import access_token, page, search  # noqa: PLC0415
    from mlx_engine.models.hub.client import Hub  # noqa: PLC0415
    from mlx_engine.models.hub.download import download  # noqa: PLC0415

    match request:
        case SignIn():
            name = Hub(request.token).who_am_i()
            access_token.keep(request.token)
            yield Account(request.id, name, "keychain")
            return
        case SignOut():
            access_token.forget()
    token, source = access_token.current()
    hub = Hub(token)
    match request:
        case Download():
            yield from download(request, hub)
        case Search():
            yield SearchResults(request.id, search.search(request.filters, hub))
        case ReadModel():
            yield page.read_page(request, hub)
        case SignOut() | WhoAmI():
            yield Account(request.id, hub.who_am_i() if token else "", source)


def _take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Keep standard input and output for the protocol; what others print goes to stderr, and they read nothing."""
    requests, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is needed, not a file's content
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, events


def _receive(requests: IO[bytes], inbox: "queue.SimpleQueue[JobRequest | JobFailed]") -> None:
    for line in requests:
        try:
            inbox.put(job_protocol.decode_request(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            inbox.put(failure("", EngineError("This is no request that a job knows.")))
    _end()


def _end() -> NoReturn:
    logging.shutdown()
    os._exit(0)
