"""The process that does a job: requests come in on standard input, events go out on standard output.

Requests are served one after the other. The end of standard input ends the process at once, whatever it is doing:
everything here can be taken up again as after a kill. Only a conversion is given the time to take its folder away.
"""

import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from typing import IO, NoReturn

import msgspec

from mlx_engine import protocol
from mlx_engine.engine.children.job_control import Course
from mlx_engine.engine.values import job_messages
from mlx_engine.engine.values.job_messages import JobEvent, JobRequest
from mlx_engine.errors import EngineError, FacetError, HubBusy
from mlx_engine.hub_messages import JobFailed
from mlx_engine.measure.results.messages import KeepAnswers, MeasureFidelity, MeasureSpeed, ReadCorpus, ReadTokens
from mlx_engine.models.hub.upload_messages import DraftCard, LookAtTarget, Publish
from mlx_engine.quantize.plan.messages import Convert, Hold, Proceed, ReadOutline

_log = logging.getLogger(__name__)

Inbox = queue.SimpleQueue[JobRequest | JobFailed | None]
"""None comes last, when standard input has closed."""


def main() -> NoReturn:
    """Serve requests until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Control-C in a terminal is for the program that the person talks to.
    requests, events = _take_pipes()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    inbox: Inbox = queue.SimpleQueue()
    course = Course()
    threading.Thread(target=_receive, args=(requests, inbox, course), daemon=True).start()
    while (request := inbox.get()) is not None:
        course.ends_by_itself = isinstance(request, Convert)
        _tell(answer(request), events, course)
        course.ends_by_itself = False
    _end()


def answer(request: JobRequest | JobFailed) -> Generator[JobEvent, None, None]:
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
    # Importing the Hub's library takes half a second, MLX longer: each begins when it is needed.
    match request:
        case ReadOutline() | Convert():
            from mlx_engine.engine.children import job_conversion  # noqa: PLC0415

            yield from job_conversion.serve(request)
        case KeepAnswers() | MeasureFidelity() | MeasureSpeed() | ReadTokens() | ReadCorpus():
            from mlx_engine.engine.children import job_measure  # noqa: PLC0415

            yield from job_measure.serve(request)
        case DraftCard() | LookAtTarget() | Publish():
            from mlx_engine.engine.children import job_publish  # noqa: PLC0415

            yield from job_publish.serve(request)
        case Hold() | Proceed():
            raise EngineError("There is nothing that could stand still.")
        case _:
            from mlx_engine.engine.children import job_hub  # noqa: PLC0415

            yield from job_hub.serve(request)


def _tell(told: Generator[JobEvent, None, None], events: IO[bytes], course: Course) -> None:
    for event in told:
        try:
            events.write(protocol.encode(event))
            events.flush()
        except OSError:  # Nobody reads any more.
            course.end()
        if not course.may_go_on():
            told.close()
            _end()


def _take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """Keep standard input and output for the protocol; what others print goes to stderr, and they read nothing."""
    requests, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a descriptor is needed, not a file's content
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, events


def _receive(requests: IO[bytes], inbox: Inbox, course: Course) -> None:
    for line in requests:
        try:
            request = job_messages.decode_request(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            inbox.put(failure("", EngineError("This is no request that a job knows.")))
        except FacetError as error:
            inbox.put(failure("", error))
        else:
            match request:
                case Hold():
                    course.hold()
                case Proceed():
                    course.proceed()
                case _:
                    inbox.put(request)
    inbox.put(None)
    course.end()
    if not course.ends_by_itself:
        _end()


def _end() -> NoReturn:
    logging.shutdown()
    os._exit(0)
