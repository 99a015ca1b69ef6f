"""Uploads one large file to the Hub's storage, whole or in parts, with retries after connection errors.

The storage verifies the SHA-256 and keeps complete files. It keeps nothing of an interrupted upload, so a later process
sends that file again, but no other.
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
"""Small enough for regular progress and quick stopping on a slow connection."""


class FileUpload:
    """The upload of one file according to the Hub's `action`. `done_bytes` may be read from any thread."""

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
        """Upload the file; return when the Hub has verified it.

        Raises:
            HubError: the Hub refused, or the connection failed too often.
            StorageError: the file cannot be read, or has changed.
            TransferStopped: `stop` was set.
        """
        try:
            self._send(stop)
        except HubError:
            # The storage refuses a file with a wrong checksum. If the file has changed, that is the error to report.
            self.file.check_unchanged()
            raise
        self.file.check_unchanged()

    def _send(self, stop: threading.Event) -> None:
        upload = self._action["upload"]
        href, header = upload["href"], upload.get("header") or {}
        if "chunk_size" in header:
            self._send_parts(href, header, stop)
        else:
            self._with_retries(lambda: self._put(href, 0, self.file.size_bytes, stop), stop)
        if verify := self._action.get("verify"):
            self._with_retries(lambda: self._post(verify["href"], self._identity()), stop)

    def _send_parts(self, href: str, header: Mapping[str, Any], stop: threading.Event) -> None:
        size, total = int(header["chunk_size"]), self.file.size_bytes
        urls = [header[number] for number in sorted((name for name in header if name.isdigit()), key=int)]
        if size <= 0 or len(urls) != math.ceil(total / size):
            raise HubError(f"The Hub requested {self.file.name} in parts that don't add up to the file. Try again.")
        parts = []
        for number, url in enumerate(urls, start=1):
            start = (number - 1) * size
            etag = self._send_part(url, start, min(start + size, total), stop)
            parts.append({"partNumber": number, "etag": etag})
        self._with_retries(lambda: self._post(href, {"oid": self.file.sha256, "parts": parts}), stop)

    def _send_part(self, url: str, start: int, end: int, stop: threading.Event) -> str:
        return self._with_retries(lambda: self._put(url, start, end, stop), stop).headers.get("etag", "")

    def _with_retries(self, step: Callable[[], httpx2.Response], stop: threading.Event) -> httpx2.Response:
        """Run the step, again after a connection or server error."""
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

    def _put(self, url: str, start: int, end: int, stop: threading.Event) -> httpx2.Response:
        """Send bytes to the storage. The URL contains the authorization, so the token is not sent."""
        self.done_bytes = start
        headers = {"Content-Length": str(end - start)}
        response = get_session().put(
            url, content=self._blocks(start, end, stop), headers=headers, timeout=write_api.TIMEOUT
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

    def _post(self, url: str, content: Mapping[str, Any]) -> httpx2.Response:
        return write_api.post_lfs(self._hub, url, content)

    def _identity(self) -> dict[str, Any]:
        return {"oid": self.file.sha256, "size": self.file.size_bytes}
