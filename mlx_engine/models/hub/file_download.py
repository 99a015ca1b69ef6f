"""Downloads one file from the Hub to the cache: resumable, with retries after connection errors, and verified.

`huggingface_hub` 2 restarts a file if its process ended during the download (docs/decisions/0005), so the bytes are
received here; URLs, headers and errors come from the library.
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
_LARGEST_REQUEST_BYTES = 16 * 2**30
"""The Hub serves files over 50 GB in ranges only (https://github.com/huggingface/xet-core/issues/238)."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The number of retries without progress, and the wait before each, which doubles every time."""

    tries: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    """If the Hub asks to wait longer than this, the transfer fails."""

    def wait_after(self, error: NoNetwork | HubBusy, failures: int) -> float:
        """Return the wait in seconds after this many consecutive failures; raise `error` if there were too many."""
        retry_after_s = error.retry_after_s if isinstance(error, HubBusy) else 0
        if failures > self.tries or retry_after_s > self.longest_wait_s:
            raise error
        return max(retry_after_s, min(self.first_wait_s * 2.0 ** (failures - 1), self.longest_wait_s))


class TransferStopped(Exception):
    """The transfer was stopped, because another file failed or the request was canceled."""


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
        """Download the file into the cache; return when it is complete and verified.

        Raises:
            WrongContent: the content differs from the Hub's listing.
            HubError: the Hub refused, or the connection failed too often.
            StorageError: the disk is full or cannot be written.
            TransferStopped: `stop` was set.
        """
        with storage_errors(self._revision.blob(self.file)), self._revision.locked_partial(self.file) as part:
            if part is not None:
                self._complete(part, stop)
                self._revision.store(self.file)
        self.done_bytes = self.file.size_bytes

    def _complete(self, part: BinaryIO, stop: threading.Event) -> None:
        resumed_bytes = self._resume(part)
        self._receive(part, stop)
        if resumed_bytes and self._hash.hexdigest() != self.file.digest:
            # The existing part may be damaged, so the whole file is downloaded once more.
            self._restart(part)
            self._receive(part, stop)
        if self._hash.hexdigest() != self.file.digest:
            self._restart(part)
            raise WrongContent(f"{self.file.name} differs from the Hub's checksum. Try again.")

    def _resume(self, part: BinaryIO) -> int:
        """Add the existing part to the checksum; return its size in bytes."""
        existing_bytes = self._revision.downloaded_bytes(self.file)
        self._restart(part, keep=existing_bytes)
        with self._revision.partial(self.file).open("rb") as existing:
            while block := existing.read(min(_BLOCK_BYTES, existing_bytes - self.done_bytes)):
                self._hash.update(block)
                self.done_bytes += len(block)
        return existing_bytes

    def _restart(self, part: BinaryIO, *, keep: int = 0) -> None:
        if os.fstat(part.fileno()).st_size > keep:
            part.truncate(keep)
        self._hash = _hash_for(self.file)
        self.done_bytes = 0

    def _receive(self, part: BinaryIO, stop: threading.Event) -> None:
        """Receive the missing bytes, with as many requests as necessary."""
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
        """Receive the response to one request."""
        url = self._hub.file_url(self._repository, self._revision.commit, self.file.name)
        headers = self._hub.headers()
        start, end = self.done_bytes, min(self.file.size_bytes, self.done_bytes + _LARGEST_REQUEST_BYTES)
        if start or end < self.file.size_bytes:
            headers["Range"] = f"bytes={start}-{end - 1}"
        with get_session().stream("GET", url, headers=headers, timeout=TRANSFER_TIMEOUT) as response:
            self._check(response, part, end)
            # Blocks have at most 64 KB. Joining them into larger ones would copy every byte three more times.
            for block in response.iter_raw():
                if stop.is_set():
                    raise TransferStopped
                self._append(block, part)
        if self.done_bytes == start:
            raise NoNetwork("The Hub sent no data. Check the network and try again.")

    def _check(self, response: httpx2.Response, part: BinaryIO, end: int) -> None:
        """Raise an error if the response is not for the missing bytes."""
        if response.status_code == 416:
            raise self._wrong_length()
        if response.status_code == 400 and self.file.size_bytes > _LARGEST_REQUEST_BYTES:
            raise HubError(
                f"The Hub doesn't serve {self.file.name} ({format_disk(self.file.size_bytes)}) over plain HTTP. Try "
                f"`hf download {self._repository}`; Facet will find the model in the same cache."
            )
        hf_raise_for_status(response)
        if response.status_code == 200 and self.done_bytes:
            # The server ignored the range and sends the whole file.
            self._restart(part)
        start = self.done_bytes
        length = response.headers.get("Content-Length")
        if length is not None and start + int(length) not in (end, self.file.size_bytes):
            raise self._wrong_length()

    def _append(self, block: bytes, part: BinaryIO) -> None:
        if self.done_bytes + len(block) > self.file.size_bytes:
            raise self._wrong_length()
        view = memoryview(block)
        while view:
            view = view[part.write(view) :]
        self._hash.update(block)
        self.done_bytes += len(block)

    def _wrong_length(self) -> WrongContent:
        return WrongContent(f"{self.file.name} differs from the size that the Hub states. Try again.")


def _hash_for(file: RemoteFile) -> "hashlib._Hash":
    """Return an empty hash for the file's content; git object ids include a header."""
    if len(file.digest) == 64:
        return hashlib.sha256()
    return hashlib.sha1(b"blob %d\0" % file.size_bytes, usedforsecurity=False)
