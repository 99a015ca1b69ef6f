"""Downloads a repository: selects files, checks the free space, downloads concurrently, and links the result."""

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
from mlx_engine.models.hub.file_download import FileDownload, RetryPolicy, TransferStopped
from mlx_engine.models.hub.files import select
from mlx_engine.models.hub.gate import Gate
from mlx_engine.models.hub.transfer_rate import TransferRate

CONCURRENT_FILES = 4
INTERVAL_S = 0.2
"""Time between progress events."""
RESERVE_BYTES = 500_000_000
"""Space that a download leaves free on the disk."""


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """The files to download to `revision` in the cache."""

    files: Sequence[RemoteFile]
    revision: CachedRevision

    @property
    def total_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def missing_bytes(self) -> int:
        return self.total_bytes - sum(map(self.revision.downloaded_bytes, self.files))


def download(
    request: Download,
    hub: Hub,
    *,
    cache: Path | None = None,
    retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
) -> Iterator[HubEvent]:
    """Yield the plan, the progress several times per second, and the result.

    After closing the iterator or ending the process, a later download resumes.

    Raises:
        HubError: the Hub cannot be reached, refuses, or sent content that differs from its listing.
        UnsupportedModel: the repository has no model that Facet can run.
        NoSpace: the disk has too little space.
        StorageError: the cache cannot be written.
    """
    plan = make_plan(request, hub, cache or cache_folder())
    require_space(request.repository, plan)
    yield plan_event(request, plan)
    yield from transfer_all(request, hub, plan, retries)
    with storage_errors(plan.revision.folder):
        plan.revision.link_files(plan.files, request.revision)
    yield Downloaded(
        id=request.id,
        repository=request.repository,
        commit=plan.revision.commit,
        path=str(plan.revision.folder),
        size_bytes=plan.total_bytes,
    )


def make_plan(request: Download, hub: Hub, cache: Path) -> DownloadPlan:
    """Return the plan of the download.

    Raises:
        HubError: the Hub cannot be reached, or refuses.
        UnsupportedModel: the repository has no model that Facet can run.
    """
    listing = hub.list_files(request.repository, request.commit or request.revision)
    files = sorted(select(listing.files, request.include), key=lambda file: file.size_bytes)
    return DownloadPlan(files, CachedRevision.of(cache, request.repository, listing.commit))


def require_space(repository: str, plan: DownloadPlan) -> None:
    """Check that the disk has space for the missing files.

    Raises:
        NoSpace: it has too little.
    """
    with storage_errors(plan.revision.repository_folder):
        free = free_bytes(plan.revision.repository_folder)
    if plan.missing_bytes + RESERVE_BYTES > free and plan.missing_bytes:
        raise NoSpace(
            f"{repository} needs {format_disk(plan.missing_bytes)}, and {format_disk(RESERVE_BYTES)} should stay "
            f"free, but only {format_disk(free)} is available. Free up some space and try again."
        )


def plan_event(request: Download, plan: DownloadPlan) -> DownloadPlanned:
    """Return the plan as an event."""
    return DownloadPlanned(
        id=request.id,
        repository=request.repository,
        commit=plan.revision.commit,
        files=tuple(
            FileProgress(file.name, plan.revision.downloaded_bytes(file), file.size_bytes) for file in plan.files
        ),
        total_bytes=plan.total_bytes,
        missing_bytes=plan.missing_bytes,
    )


def transfer_all(request: Download, hub: Hub, plan: DownloadPlan, retries: RetryPolicy) -> Iterator[HubEvent]:
    """Download all files of `plan` into the cache; yield the progress several times per second.

    Raises:
        HubError: a file cannot be downloaded, or differs from the Hub's listing.
        StorageError: the disk is full or cannot be written.
    """
    waits: SimpleQueue[Waiting] = SimpleQueue()

    def on_wait(seconds: float, reason: str) -> None:
        waits.put(Waiting(request.id, seconds, reason))

    downloads = [
        FileDownload(hub, request.repository, file, plan.revision, on_wait=on_wait, retries=retries)
        for file in plan.files
    ]
    rate = TransferRate(time.monotonic(), sum(file_download.done_bytes for file_download in downloads))
    stop = Gate()
    with ThreadPoolExecutor(CONCURRENT_FILES) as threads:
        futures = {threads.submit(file_download.run, stop): file_download for file_download in downloads}
        try:
            unfinished = set(futures)
            while unfinished:
                finished, unfinished = wait(unfinished, INTERVAL_S, FIRST_EXCEPTION)
                raise_first(finished)
                retries_ahead: list[HubEvent] = [waits.get() for _ in range(waits.qsize())]
                rate = rate.after(time.monotonic(), sum(file_download.done_bytes for file_download in downloads))
                running = [file_download for future, file_download in futures.items() if future.running()]
                # Downloads pause while the consumer does not ask for the next event.
                for event in (*retries_ahead, _progress(request.id, plan.total_bytes, rate, running)):
                    with stop.pause():
                        yield event
        finally:
            stop.set()
            threads.shutdown(cancel_futures=True)


def raise_first(finished: set[Future[None]]) -> None:
    """Raise the error of a finished thread, if any. `TransferStopped` comes last: it only follows other errors."""
    errors = [error for future in finished if (error := future.exception())]
    for error in sorted(errors, key=lambda error: isinstance(error, TransferStopped)):
        raise error


def _progress(id: str, total_bytes: int, rate: TransferRate, running: Sequence[FileDownload]) -> DownloadProgress:
    return DownloadProgress(
        id=id,
        done_bytes=rate.done_bytes,
        total_bytes=total_bytes,
        bytes_per_s=rate.bytes_per_s,
        remaining_s=rate.remaining_s(total_bytes),
        files=tuple(
            FileProgress(file_download.file.name, file_download.done_bytes, file_download.file.size_bytes)
            for file_download in running
        ),
    )
