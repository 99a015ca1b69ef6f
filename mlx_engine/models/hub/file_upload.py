"""One large file on its way to the Hub's storage: in one piece or in parts, each tried again when the line breaks.

The storage keeps whole files (and checks their SHA-256); of one that was broken off it keeps nothing, so that a later
process sends that one anew, and no other.
"""

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx2
from huggingface_hub import get_session, hf_raise_for_status

from mlx_engine.errors import HubBusy, HubError, NoNetwork
from mlx_engine.models.hub import write_api
from mlx_engine.models.hub.client import Hub
from mlx_engine.models.hub.file_download import RetryPolicy, TransferStopped
from mlx_engine.models.hub.upload_source import UploadSource

_BLOCK_BYTES = 1 << 18
"""Sent at once: small enough that progress and stopping follow a slow line."""


class FileUpload:
    """The upload of one file after the Hub's `action` for it. `done_bytes` may be read from any thread."""

    def __init__(
        self,
        hub: Hub,
        repository: str,
        file: UploadSource,
        action: Mapping[str, Any],
        *,
        on_wait: Callable[[float, str], None],
        retries: RetryPolicy,
    ) -> None:
        self.file = file
        self.done_bytes = 0
        self._hub, self._repository, self._action = hub, repository, action
        self._on_wait, self._retries = on_wait, retries

    def run(self, stop: threading.Event) -> None:
        """Send the file; return when the Hub has it, whole and checked.

        Raises:
            HubError: the Hub refused, or the connection broke too often.
            StorageError: the file cannot be read, or changes meanwhile.
            TransferStopped: `stop` was set.
        """
        try:
            self._send(stop)
        except HubError:
            # The storage refuses a file that no longer has its checksum: then the change is the reason to report.
            self.file.check_unchanged()
            raise
        self.file.check_unchanged()

    def _send(self, stop: threading.Event) -> None:
        upload = self._action["upload"]
        href, header = upload["href"], upload.get("header") or {}
        if "chunk_size" in header:
            self._send_parts(href, header, stop)
        else:
            self._patiently(lambda: self._put(href, 0, self.file.size_bytes, stop), stop)
        if verify := self._action.get("verify"):
            self._patiently(lambda: self._tell(verify["href"], self._identity()), stop)

    def _send_parts(self, href: str, header: Mapping[str, Any], stop: threading.Event) -> None:
        size, whole = int(header["chunk_size"]), self.file.size_bytes
        addresses = [header[number] for number in sorted((name for name in header if name.isdigit()), key=int)]
        if size <= 0 or len(addresses) != math.ceil(whole / size):
            raise HubError(f"The Hub wants {self.file.name} in parts that do not make up the file. Try again.")
        parts = []
        for number, address in enumerate(addresses, start=1):
            start = (number - 1) * size
            etag = self._send_part(address, start, min(start + size, whole), stop)
            parts.append({"partNumber": number, "etag": etag})
        self._patiently(lambda: self._tell(href, {"oid": self.file.sha256, "parts": parts}), stop)

    def _send_part(self, address: str, start: int, end: int, stop: threading.Event) -> str:
        return self._patiently(lambda: self._put(address, start, end, stop), stop).headers.get("etag", "")

    def _patiently(self, step: Callable[[], httpx2.Response], stop: threading.Event) -> httpx2.Response:
        """Take the step, again if the line breaks or the storage has a fault of its own."""
        failures = 0
        while True:
            before = self.done_bytes
            try:
                with write_api.translate_errors(self._hub, self._repository):
                    return step()
            except (NoNetwork, HubBusy) as error:
                self.done_bytes = min(self.done_bytes, before)
                failures += 1
                wait_s = self._retries.wait_after(error, failures)
                self._on_wait(wait_s, error.message)
                if stop.wait(wait_s):
                    raise TransferStopped from error

    def _put(self, address: str, start: int, end: int, stop: threading.Event) -> httpx2.Response:
        """Send the bytes to the storage. The address itself carries the right to: no token goes there."""
        self.done_bytes = start
        headers = {"Content-Length": str(end - start)}
        response = get_session().put(
            address, content=self._blocks(start, end, stop), headers=headers, timeout=write_api.TIMEOUT
        )
        hf_raise_for_status(response)
        return response

    def _blocks(self, start: int, end: int, stop: threading.Event) -> Iterator[bytes]:
        with self.file.open() as source:
            source.seek(start)
            while (at := source.tell()) < end:
                if stop.is_set():
                    raise TransferStopped
                block = source.read(min(_BLOCK_BYTES, end - at))
                if not block:
                    raise self.file.changed()
                yield block
                self.done_bytes = at + len(block)

    def _tell(self, address: str, what: Mapping[str, Any]) -> httpx2.Response:
        return write_api.post_lfs(self._hub, address, what)

    def _identity(self) -> dict[str, Any]:
        return {"oid": self.file.sha256, "size": self.file.size_bytes}
