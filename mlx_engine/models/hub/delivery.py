"""Brings the weight files of a model one after the other, for somebody who uses each as soon as it is verified.

It works in threads, and goes on as long as its owner asks it: `events` starts what is next, and tells what went wrong.
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

MOMENT_S = 0.1
"""So long `wait` waits at most."""


class Delivery:
    """Nothing comes before `begin`. Unless it `keeps` files, each is removed from the cache when it was used, if it
    belongs to no model there.
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
        self._transfers: list[FileDownload] = []
        self._at_once = self._started = self._front = 0
        self._running: dict[Future[None], FileDownload] = {}
        self._here: set[str] = set()
        self._gate = Gate()
        self._threads = ThreadPoolExecutor(thread_name_prefix="delivery")
        self.rate = TransferRate(time.monotonic(), 0)

    def start(self, files: Sequence[RemoteFile], at_once: int) -> None:
        """Bring these in their order, `at_once` of them at a time; what is not kept waits until others were used."""
        self._transfers = [
            FileDownload(
                self._hub, self._repository, file, self._revision, on_wait=self._on_wait, retries=self._retries
            )
            for file in files
        ]
        self._at_once = at_once
        self.rate = TransferRate(time.monotonic(), self.done_bytes)
        self._start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._gate.set()
        self._threads.shutdown(cancel_futures=True)

    @property
    def available(self) -> frozenset[str]:
        """The names of the files that are whole and verified, be they used and removed by now."""
        return frozenset(self._here)

    @property
    def is_complete(self) -> bool:
        return len(self._here) == len(self._transfers)

    @property
    def digests(self) -> dict[str, str]:
        """The SHA-256 by which the files are verified, by name; small ones may be verified otherwise."""
        return {file.name: file.digest for file in self._files if len(file.digest) == 64}

    @property
    def done_bytes(self) -> int:
        return sum(transfer.done_bytes for transfer in self._transfers)

    @property
    def total_bytes(self) -> int:
        return sum(file.size_bytes for file in self._files)

    def path(self, name: str) -> Path | None:
        """Return where the contents of a file are; None as long as it is not here, and when it was removed."""
        file = next((file for file in self._files if file.name == name), None)
        if file is None or name not in self._here:
            return None
        contents = self._revision.contents(file)
        return contents if contents.exists() else None

    def peek(self, name: str, start: int, stop: int) -> bytes:
        """Return a small piece of a file before any has come. Nothing verifies it.

        Raises:
            HubError: the Hub cannot be reached, or refuses.
        """
        if self._transfers:
            raise StorageError(f"{name} was wanted before it was here. Try again.")
        return remote_header.fetch_range(self._hub, self._repository, self._revision.commit, name, start, stop)

    def events(self) -> Iterator[Waiting]:
        """Take in what has come, and start what is next; give what there is to wait for.

        Raises:
            HubError: a file cannot be had, or is not what the Hub had listed.
            StorageError: the disk is full, or cannot be written.
        """
        for future in [future for future in self._running if future.done()]:
            transfer = self._running.pop(future)
            future.result()
            self._here.add(transfer.file.name)
        self._start()
        self.rate = self.rate.after(time.monotonic(), self.done_bytes)
        while not self._waits.empty():
            yield self._waits.get()

    def wait(self) -> None:
        """Wait a moment, or until a file has come."""
        wait(self._running, MOMENT_S, "FIRST_COMPLETED")

    def release(self, names: Sequence[str], front: int) -> None:
        """Take note that nobody needs these files any more, and that the first `front` of all hold nothing up."""
        self._front = max(self._front, front)
        if not self.keeps:
            for file in self._files:
                if file.name in names:
                    self._revision.discard(file)

    def pause(self) -> AbstractContextManager[None]:
        """Let everything stand still meanwhile."""
        return self._gate.pause()

    @property
    def _files(self) -> Iterator[RemoteFile]:
        return (transfer.file for transfer in self._transfers)

    def _start(self) -> None:
        # What is kept need not wait for being used.
        busy = len(self._running) if self.keeps else max(len(self._running), self._started - self._front)
        for transfer in self._transfers[self._started : self._started + max(0, self._at_once - busy)]:
            self._running[self._threads.submit(transfer.run, self._gate)] = transfer
            self._started += 1

    def _on_wait(self, seconds: float, reason: str) -> None:
        self._waits.put(Waiting(self._id, seconds, reason))
