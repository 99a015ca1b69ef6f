"""Downloads a repository: what of it, whether there is room, all its files at once, and its appearance when whole."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from mlx_engine.amounts import format_disk
from mlx_engine.errors import NoSpace
from mlx_engine.hub_messages import (
    Download,
    Downloaded,
    DownloadPlanned,
    DownloadProgress,
    FileProgress,
    HubEvent,
    RemoteFile,
    Waiting,
)
from mlx_engine.models.files.staging import storage_errors
from mlx_engine.models.hub.cache import CachedRevision, cache_folder, free_bytes
from mlx_engine.models.hub.client import Hub
from mlx_engine.models.hub.files import select
from mlx_engine.models.hub.gate import Gate
from mlx_engine.models.hub.pace import Pace
from mlx_engine.models.hub.transfer import Patience, Stopped, Transfer

AT_ONCE = 4
"""Files downloaded at the same time."""
INTERVAL_S = 0.2
"""Between two reports of the progress."""
RESERVE_BYTES = 500_000_000
"""What a download leaves free on the disk."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The files to bring to `place`."""

    files: Sequence[RemoteFile]
    place: CachedRevision

    @property
    def total_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def missing_bytes(self) -> int:
        return self.total_bytes - sum(map(self.place.bytes_here, self.files))


def download(
    request: Download,
    hub: Hub,
    *,
    cache: Path | None = None,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> Iterator[HubEvent]:
    """Yield what is planned, the progress several times a second, and the end.

    Whoever stops it in the middle, by closing the iterator or ending the process, can begin again where it was.

    Raises:
        HubError: the Hub cannot be reached, refuses, or sent something else than it had listed.
        UnsupportedModel: there is nothing in the repository that Facet could run.
        NoSpace: the disk has no room.
        StorageError: the cache cannot be written.
    """
    plan = make_plan(request, hub, cache or cache_folder())
    require_room(request.repository, plan)
    yield planned(request, plan)
    yield from transfer_all(request, hub, plan, patience)
    with storage_errors(plan.place.folder):
        plan.place.appear(plan.files, request.revision)
    yield Downloaded(
        id=request.id,
        repository=request.repository,
        commit=plan.place.commit,
        path=str(plan.place.folder),
        size_bytes=plan.total_bytes,
    )


def make_plan(request: Download, hub: Hub, cache: Path) -> Plan:
    """Return what is to be done.

    Raises:
        HubError: the Hub cannot be reached, or refuses.
        UnsupportedModel: there is nothing in the repository that Facet could run.
    """
    listing = hub.list_files(request.repository, request.commit or request.revision)
    files = sorted(select(listing.files, request.include), key=lambda file: file.size_bytes)
    return Plan(files, CachedRevision.of(cache, request.repository, listing.commit))


def require_room(repository: str, plan: Plan) -> None:
    """See that the disk takes what is missing.

    Raises:
        NoSpace: it does not.
    """
    with storage_errors(plan.place.repository_folder):
        free = free_bytes(plan.place.repository_folder)
    if plan.missing_bytes + RESERVE_BYTES > free and plan.missing_bytes:
        raise NoSpace(
            f"{repository} needs {format_disk(plan.missing_bytes)} more, and {format_disk(RESERVE_BYTES)} should "
            f"stay free; the disk has {format_disk(free)}. Make room, then try again."
        )


def planned(request: Download, plan: Plan) -> DownloadPlanned:
    """Return the plan as an event."""
    return DownloadPlanned(
        id=request.id,
        repository=request.repository,
        commit=plan.place.commit,
        files=tuple(FileProgress(file.name, plan.place.bytes_here(file), file.size_bytes) for file in plan.files),
        total_bytes=plan.total_bytes,
        missing_bytes=plan.missing_bytes,
    )


def transfer_all(request: Download, hub: Hub, plan: Plan, patience: Patience) -> Iterator[HubEvent]:
    """Bring all files of `plan` to its place; yield the progress several times a second.

    Raises:
        HubError: a file cannot be had, or is not what the Hub had listed.
        StorageError: the disk is full or cannot be written.
    """
    waits: SimpleQueue[Waiting] = SimpleQueue()

    def on_wait(seconds: float, reason: str) -> None:
        waits.put(Waiting(request.id, seconds, reason))

    transfers = [
        Transfer(hub, request.repository, file, plan.place, on_wait=on_wait, patience=patience) for file in plan.files
    ]
    pace = Pace(time.monotonic(), sum(transfer.done_bytes for transfer in transfers))
    stop = Gate()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        futures = {threads.submit(transfer.run, stop): transfer for transfer in transfers}
        try:
            unfinished = set(futures)
            while unfinished:
                finished, unfinished = wait(unfinished, INTERVAL_S, FIRST_EXCEPTION)
                raise_first(finished)
                news: list[HubEvent] = [waits.get() for _ in range(waits.qsize())]
                pace = pace.after(time.monotonic(), sum(transfer.done_bytes for transfer in transfers))
                running = [transfer for future, transfer in futures.items() if future.running()]
                # Whoever does not ask for the next event lets everything stand still.
                for event in (*news, _progress(request.id, plan.total_bytes, pace, running)):
                    with stop.shut():
                        yield event
        finally:
            stop.set()
            threads.shutdown(cancel_futures=True)


def raise_first(finished: set[Future[None]]) -> None:
    """Raise what one of the threads has met; that it was stopped only because of another comes last."""
    errors = [error for future in finished if (error := future.exception())]
    for error in sorted(errors, key=lambda error: isinstance(error, Stopped)):
        raise error


def _progress(id: str, total_bytes: int, pace: Pace, running: Sequence[Transfer]) -> DownloadProgress:
    return DownloadProgress(
        id=id,
        done_bytes=pace.done_bytes,
        total_bytes=total_bytes,
        bytes_per_s=pace.bytes_per_s,
        remaining_s=pace.remaining_s(total_bytes),
        files=tuple(
            FileProgress(transfer.file.name, transfer.done_bytes, transfer.file.size_bytes) for transfer in running
        ),
    )
