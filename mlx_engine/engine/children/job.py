"""The process that runs jobs: requests come in on standard input, events go out on standard output.

Requests are served one after the other. When standard input closes, the process ends at once, whatever it is doing: a
later process resumes from the files on disk. Only a conversion gets time to remove its unfinished folder.
"""

import logging
import queue
import threading
from collections.abc import Generator, Iterator
from typing import IO, NoReturn

import msgspec

from mlx_engine import protocol
from mlx_engine.engine.children.child_pipes import end_process, open_pipes
from mlx_engine.engine.values import job_messages
from mlx_engine.engine.values.job_messages import JobEvent, JobRequest
from mlx_engine.errors import EngineError, FacetError
from mlx_engine.measure.results.messages import MeasureFidelity, MeasureSpeed, ReadCorpus, ReadTokens, RecordReference
from mlx_engine.models.hub.upload_messages import DraftCard, InspectTarget, Publish
from mlx_engine.protocol import RequestFailed
from mlx_engine.quantize.plan.messages import Convert, Pause, ReadOutline, Resume

_log = logging.getLogger(__name__)

Inbox = queue.SimpleQueue[JobRequest | RequestFailed | None]
"""Requests, and failures to report for lines that are not requests; None follows the last one."""


class JobControl:
    """Pauses, resumes and stops the job: set by the thread that reads requests, checked by the one that works."""

    def __init__(self) -> None:
        self._runs = threading.Event()
        self._runs.set()
        self._is_stopping = False
        self.has_cleanup = False
        """Set while a job checks for a stop often and cleans up before the process ends."""

    def pause(self) -> None:
        self._runs.clear()

    def resume(self) -> None:
        self._runs.set()

    def stop(self) -> None:
        self._is_stopping = True
        self._runs.set()

    def wait_to_continue(self) -> bool:
        """Wait while the job is paused; return False if it has to stop."""
        self._runs.wait()
        return not self._is_stopping


def main() -> NoReturn:
    """Serve requests until standard input closes."""
    requests, events = open_pipes(logging.WARNING)
    inbox: Inbox = queue.SimpleQueue()
    control = JobControl()
    threading.Thread(target=_receive, args=(requests, inbox, control), daemon=True).start()
    while (request := inbox.get()) is not None:
        control.has_cleanup = isinstance(request, Convert)
        _send(answer(request), events, control)
        control.has_cleanup = False
    end_process()


def answer(request: JobRequest | RequestFailed) -> Generator[JobEvent, None, None]:
    """Yield the events of one request; the last one is its result or its failure."""
    if isinstance(request, RequestFailed):
        yield request
        return
    try:
        yield from _serve(request)
    except FacetError as error:
        yield RequestFailed.from_error(request.id, error)
    except Exception as error:  # noqa: BLE001 - the next request must be served all the same
        _log.exception("A job failed")
        yield RequestFailed.from_error(request.id, EngineError(f"The job failed unexpectedly: {error}."))


def _serve(request: JobRequest) -> Iterator[JobEvent]:
    # Importing the Hub's library takes half a second, MLX longer: each is imported by the first request that needs it.
    match request:
        case ReadOutline() | Convert():
            from mlx_engine.engine.children import job_conversion  # noqa: PLC0415

            yield from job_conversion.serve(request)
        case RecordReference() | MeasureFidelity() | MeasureSpeed() | ReadTokens() | ReadCorpus():
            from mlx_engine.engine.children import job_measure  # noqa: PLC0415

            yield from job_measure.serve(request)
        case DraftCard() | InspectTarget() | Publish():
            from mlx_engine.engine.children import job_publish  # noqa: PLC0415

            yield from job_publish.serve(request)
        case Pause() | Resume():
            raise EngineError("There is no job to pause or resume.")
        case _:
            from mlx_engine.engine.children import job_hub  # noqa: PLC0415

            yield from job_hub.serve(request)


def _send(job: Generator[JobEvent, None, None], pipe: IO[bytes], control: JobControl) -> None:
    for event in job:
        try:
            pipe.write(protocol.encode(event))
            pipe.flush()
        except OSError:  # The parent has closed the pipe.
            control.stop()
        if not control.wait_to_continue():
            job.close()
            end_process()


def _receive(requests: IO[bytes], inbox: Inbox, control: JobControl) -> None:
    for line in requests:
        try:
            request = job_messages.decode_request(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            inbox.put(RequestFailed.from_error("", EngineError("The job process does not know this request.")))
        except FacetError as error:
            inbox.put(RequestFailed.from_error("", error))
        else:
            match request:
                case Pause():
                    control.pause()
                case Resume():
                    control.resume()
                case _:
                    inbox.put(request)
    inbox.put(None)
    control.stop()
    if not control.has_cleanup:
        end_process()
