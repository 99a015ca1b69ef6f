"""One file from the Hub to the cache: taken up where it was left, tried again when the line breaks, and verified.

`huggingface_hub` 2 begins a file anew whenever its process ended in the middle (docs/decisions/0005), so the bytes
are received here; addresses, headers and errors are the library's.
"""

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

import httpx2
from huggingface_hub import get_session, hf_raise_for_status

from mlx_engine.amounts import format_disk
from mlx_engine.errors import HubBusy, HubError, NoNetwork, WrongContent
from mlx_engine.hub_messages import RemoteFile
from mlx_engine.models.files.staging import storage_errors
from mlx_engine.models.hub.cache import CachedRevision
from mlx_engine.models.hub.client import TRANSFER_TIMEOUT, Hub

_BLOCK_BYTES = 1 << 20
"""What is read at once from a file that is there in part."""
_LARGEST_REQUEST_BYTES = 16 * 2**30
"""The most that is asked for at once: of files over 50 GB the Hub's servers hand out parts, but not the whole
(https://github.com/huggingface/xet-core/issues/238)."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a broken connection is tried again without a byte more, and how long between: doubling each time."""

    tries: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    """If the Hub asks to wait longer than this, the transfer ends and says so."""

    def wait_after(self, error: NoNetwork | HubBusy, failures: int) -> float:
        """Return how long to wait after so many failures in a row; raise the `error` once retries is at its end."""
        asked = error.retry_after_s if isinstance(error, HubBusy) else 0
        if failures > self.tries or asked > self.longest_wait_s:
            raise error
        return max(asked, min(self.first_wait_s * 2.0 ** (failures - 1), self.longest_wait_s))


class TransferStopped(Exception):
    """Another file of the same download has failed."""


class FileDownload:
    """The download of one file. `done_bytes` may be read from any thread."""

    def __init__(
        self,
        hub: Hub,
        repository: str,
        file: RemoteFile,
        revision: CachedRevision,
        *,
        on_wait: Callable[[float, str], None],
        retries: RetryPolicy,
    ) -> None:
        self.file = file
        self.done_bytes = revision.downloaded_bytes(file)
        self._hub = hub
        self._repository = repository
        self._revision = revision
        self._on_wait = on_wait
        self._retries = retries
        self._hash = _hash_for(file)

    def run(self, stop: threading.Event) -> None:
        """Bring the file into the cache, whole and verified; return when it is there, or `stop` was set.

        Raises:
            WrongContent: what came is not what the Hub had listed.
            HubError: the Hub refused, or the connection broke too often.
            StorageError: the disk is full or cannot be written.
        """
        with storage_errors(self._revision.blob(self.file)), self._revision.locked_partial(self.file) as part:
            if part is not None:
                self._complete(part, stop)
                self._revision.store(self.file)
        self.done_bytes = self.file.size_bytes

    def _complete(self, part: BinaryIO, stop: threading.Event) -> None:
        kept = self._take_up(part)
        self._receive(part, stop)
        if kept and self._hash.hexdigest() != self.file.digest:
            # What was there before may be what is damaged: once more, all of it.
            self._restart(part)
            self._receive(part, stop)
        if self._hash.hexdigest() != self.file.digest:
            self._restart(part)
            raise WrongContent(f"{self.file.name} is not what the Hub has listed (its checksum differs). Try again.")

    def _take_up(self, part: BinaryIO) -> int:
        """Read what is there from before into the checksum; return how much that is."""
        kept = self._revision.downloaded_bytes(self.file)
        self._restart(part, keep=kept)
        with self._revision.partial(self.file).open("rb") as before:
            while block := before.read(min(_BLOCK_BYTES, kept - self.done_bytes)):
                self._hash.update(block)
                self.done_bytes += len(block)
        return kept

    def _restart(self, part: BinaryIO, *, keep: int = 0) -> None:
        if os.fstat(part.fileno()).st_size > keep:
            part.truncate(keep)
        self._hash = _hash_for(self.file)
        self.done_bytes = 0

    def _receive(self, part: BinaryIO, stop: threading.Event) -> None:
        """Receive what is missing, with as many requests as it takes."""
        failures = 0
        while self.done_bytes < self.file.size_bytes:
            before = self.done_bytes
            try:
                with self._hub.translate_errors(self._repository):
                    self._stream(part, stop)
            except (NoNetwork, HubBusy) as error:
                failures = 1 if self.done_bytes > before else failures + 1
                wait_s = self._retries.wait_after(error, failures)
                self._on_wait(wait_s, error.message)
                if stop.wait(wait_s):
                    raise TransferStopped from error

    def _stream(self, part: BinaryIO, stop: threading.Event) -> None:
        """Receive from one request until it ends."""
        address = self._hub.file_url(self._repository, self._revision.commit, self.file.name)
        headers = self._hub.headers()
        start, end = self.done_bytes, min(self.file.size_bytes, self.done_bytes + _LARGEST_REQUEST_BYTES)
        if start or end < self.file.size_bytes:
            headers["Range"] = f"bytes={start}-{end - 1}"
        with get_session().stream("GET", address, headers=headers, timeout=TRANSFER_TIMEOUT) as response:
            self._check(response, part, end)
            # As they come, 64 KB at most: gathering larger blocks copies every byte three times more.
            for block in response.iter_raw():
                if stop.is_set():
                    raise TransferStopped
                self._take(block, part)
        if self.done_bytes == start:
            raise NoNetwork("It sends nothing. Check the network and try again.")

    def _check(self, response: httpx2.Response, part: BinaryIO, end: int) -> None:
        """Refuse an answer that is not about the bytes that are missing, before any of it is kept."""
        if response.status_code == 416:
            raise self._wrong_length()
        if response.status_code == 400 and self.file.size_bytes > _LARGEST_REQUEST_BYTES:
            raise HubError(
                f"The Hub does not hand out {self.file.name}, which has {format_disk(self.file.size_bytes)}, by plain "
                f"HTTP. `hf download {self._repository}` may get it; Facet then finds it in the same cache."
            )
        hf_raise_for_status(response)
        if response.status_code == 200 and self.done_bytes:
            # It sends the whole file although only the rest was asked for.
            self._restart(part)
        start = self.done_bytes
        length = response.headers.get("Content-Length")
        if length is not None and start + int(length) not in (end, self.file.size_bytes):
            raise self._wrong_length()

    def _take(self, block: bytes, part: BinaryIO) -> None:
        if self.done_bytes + len(block) > self.file.size_bytes:
            raise self._wrong_length()
        view = memoryview(block)
        while view:
            view = view[part.write(view) :]
        self._hash.update(block)
        self.done_bytes += len(block)

    def _wrong_length(self) -> WrongContent:
        return WrongContent(f"{self.file.name} is longer or shorter than the Hub has listed. Try again.")


def _hash_for(file: RemoteFile) -> "hashlib._Hash":
    """Return a checksum to feed with the file's content; git puts a header before it."""
    if len(file.digest) == 64:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % file.size_bytes, usedforsecurity=False)
