"""Reads parts of files on the Hub, such as the header of a safetensors file, without downloading the files.

Parts are not verified, since the checksum covers the whole file. A caller that relies on a header must compare it with
the downloaded file later.
"""

from pathlib import Path

from huggingface_hub import get_session, hf_raise_for_status

from mlx_engine.errors import BrokenModel, NoNetwork
from mlx_engine.hub_messages import RemoteFile
from mlx_engine.models.files.safetensors import HEADER_LIMIT_BYTES
from mlx_engine.models.hub.client import REQUEST_TIMEOUT, Hub

_FIRST_BYTES = 2**17
"""The size of the first request. Most headers are shorter, so one request is enough."""
_TRIES = 3


def fetch_range(hub: Hub, repository: str, commit: str, name: str, start: int, stop: int) -> bytes:
    """Return the bytes [start, stop) of a file, or fewer if it ends earlier.

    Raises:
        HubError: the Hub cannot be reached, refuses, or drops the connection repeatedly.
    """
    for remaining in reversed(range(_TRIES)):
        try:
            with hub.translate_errors(repository, commit):
                return _request(hub, hub.file_url(repository, commit, name), start, stop)
        except NoNetwork:
            if not remaining:
                raise
    raise AssertionError


def _request(hub: Hub, url: str, start: int, stop: int) -> bytes:
    headers = {**hub.headers(), "Range": f"bytes={start}-{stop - 1}"}
    with get_session().stream("GET", url, headers=headers, timeout=REQUEST_TIMEOUT) as response:
        hf_raise_for_status(response)
        # A server that ignores the range and sends the whole file is read up to the end of the range.
        skipped = start if response.status_code == 200 else 0
        content = bytearray()
        for block in response.iter_raw():
            content += block
            if len(content) >= skipped + stop - start:
                break
    return bytes(content[skipped : skipped + stop - start])


def write_sparse_copy(hub: Hub, repository: str, commit: str, file: RemoteFile, target: Path) -> None:
    """Write a sparse file with the header and the length of a safetensors file on the Hub, but no data.

    Raises:
        BrokenModel: the file has no header.
        HubError: as for `fetch_range`.
        OSError: it cannot be written.
    """
    head = fetch_range(hub, repository, commit, file.name, 0, min(_FIRST_BYTES, file.size_bytes))
    end = 8 + int.from_bytes(head[:8], "little")
    if len(head) < 8 or end > min(file.size_bytes, HEADER_LIMIT_BYTES):
        raise BrokenModel(f"{file.name} is not a safetensors file. Try again, or choose another repository.")
    if end > len(head):
        head += fetch_range(hub, repository, commit, file.name, len(head), end)
    with target.open("wb") as copy:
        copy.write(head[:end])
        copy.truncate(file.size_bytes)
