"""Downloads the weight files of a model in order, for a consumer that uses each as soon as it is verified.

Downloads run in threads. The owner must keep calling `events`, which starts the next downloads and raises errors.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from mlx_engine.errors import StorageError
from mlx_engine.hub_messages import RemoteFile, Waiting
from mlx_engine.models.hub import remote_header
from mlx_engine.models.hub.cache import CachedRevision
from mlx_engine.models.hub.client import Hub
from mlx_engine.models.hub.file_download import FileDownload, RetryPolicy
from mlx_engine.models.hub.gate import Gate
from mlx_engine.models.hub.transfer_rate import TransferRate

_LONGEST_WAIT_S = 0.1


class Delivery:
    """Files of one model, downloaded in order after `start`.

    Unless it `keeps` files, each is deleted after use, if it belongs to no model in the cache.
    """

    def __init__(
        self,
        hub: Hub,
        repository: str,
        revision: CachedRevision,
        *,
        id: str,
        keeps: bool,
        retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
    ) -> None:
        self._hub, self._repository, self._revision = hub, repository, revision
        self._id, self.keeps, self._retries = id, keeps, retries
        self._waits: SimpleQueue[Waiting] = SimpleQueue()
        self._downloads: list[FileDownload] = []
        self._concurrency = self._started = self._front = 0
        self._running: dict[Future[None], FileDownload] = {}
        self._available: set[str] = set()
        self._gate = Gate()
        self._threads = ThreadPoolExecutor(thread_name_prefix="delivery")
        self.rate = TransferRate(time.monotonic(), 0)

    def start(self, files: Sequence[RemoteFile], concurrency: int) -> None:
        """Start downloading `files` in order, `concurrency` at a time.

        Unless files are kept, a download also waits until enough earlier files have been used.
        """
        self._downloads = [
            FileDownload(
                self._hub, self._repository, file, self._revision, on_wait=self._on_wait, retries=self._retries
            )
            for file in files
        ]
        self._concurrency = concurrency
        self.rate = TransferRate(time.monotonic(), self.done_bytes)
        self._start_next()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._gate.set()
        self._threads.shutdown(cancel_futures=True)

    @property
    def available(self) -> frozenset[str]:
        """The names of the files that are complete and verified, including those already used and deleted."""
        return frozenset(self._available)

    @property
    def is_complete(self) -> bool:
        return len(self._available) == len(self._downloads)

    @property
    def digests(self) -> dict[str, str]:
        """The SHA-256 that files are verified against, by name. Small files can have another kind of digest."""
        return {file.name: file.digest for file in self._files if len(file.digest) == 64}

    @property
    def done_bytes(self) -> int:
        return sum(download.done_bytes for download in self._downloads)

    @property
    def total_bytes(self) -> int:
        return sum(file.size_bytes for file in self._files)

    def path(self, name: str) -> Path | None:
        """Return the path of a file's contents; None before it is available and after it was deleted."""
        file = next((file for file in self._files if file.name == name), None)
        if file is None or name not in self._available:
            return None
        contents = self._revision.contents(file)
        return contents if contents.exists() else None

    def peek(self, name: str, start: int, stop: int) -> bytes:
        """Return a small range of a file before `start`. It is not verified.

        Raises:
            HubError: the Hub cannot be reached, or refuses.
        """
        if self._downloads:
            raise StorageError(f"{name} is not downloaded yet. Try again.")
        return remote_header.fetch_range(self._hub, self._repository, self._revision.commit, name, start, stop)

    def events(self) -> Iterator[Waiting]:
        """Collect completed downloads and start the next ones; yield retries that are being waited for.

        Raises:
            HubError: a file cannot be downloaded, or differs from the Hub's listing.
            StorageError: the disk is full, or cannot be written.
        """
        for future in [future for future in self._running if future.done()]:
            download = self._running.pop(future)
            future.result()
            self._available.add(download.file.name)
        self._start_next()
        self.rate = self.rate.after(time.monotonic(), self.done_bytes)
        while not self._waits.empty():
            yield self._waits.get()

    def wait(self) -> None:
        """Wait until a file is complete, but only for a moment."""
        wait(self._running, _LONGEST_WAIT_S, "FIRST_COMPLETED")

    def release(self, names: Sequence[str], front: int) -> None:
        """Release files that are no longer needed; nothing waits for the first `front` of all files."""
        self._front = max(self._front, front)
        if not self.keeps:
            for file in self._files:
                if file.name in names:
                    self._revision.discard(file)

    def pause(self) -> AbstractContextManager[None]:
        """Return a context that pauses all downloads."""
        return self._gate.pause()

    @property
    def _files(self) -> Iterator[RemoteFile]:
        return (download.file for download in self._downloads)

    def _start_next(self) -> None:
        # Files that are kept do not wait for the use of earlier ones.
        busy = len(self._running) if self.keeps else max(len(self._running), self._started - self._front)
        for download in self._downloads[self._started : self._started + max(0, self._concurrency - busy)]:
            self._running[self._threads.submit(download.run, self._gate)] = download
            self._started += 1

    def _on_wait(self, seconds: float, reason: str) -> None:
        self._waits.put(Waiting(self._id, seconds, reason))
