"""Pieces of files on the Hub: the header of a safetensors file says what is in it before it is downloaded.

What comes here is not verified: the checksum is that of the whole file. Whoever relies on a header compares it with
that of the file once it is here.
"""

from pathlib import Path

from huggingface_hub import get_session, hf_raise_for_status

from mlx_engine.errors import BrokenModel, NoNetwork
from mlx_engine.hub_messages import RemoteFile
from mlx_engine.models.files.safetensors import HEADER_LIMIT_BYTES
from mlx_engine.models.hub.client import REQUEST_TIMEOUT, Hub

_FIRST_BYTES = 2**17
"""Asked for at first: the headers of most files are shorter, so that one question is enough."""
_TRIES = 3


def fetch_range(hub: Hub, repository: str, commit: str, name: str, start: int, stop: int) -> bytes:
    """Return the bytes [start, stop) of a file, or fewer if it ends before.

    Raises:
        HubError: the Hub cannot be reached, refuses, or breaks off again and again.
    """
    for remaining in reversed(range(_TRIES)):
        try:
            with hub.translate_errors(repository, commit):
                return _ask(hub, hub.file_url(repository, commit, name), start, stop)
        except NoNetwork:
            if not remaining:
                raise
    raise AssertionError


def _ask(hub: Hub, address: str, start: int, stop: int) -> bytes:
    headers = {**hub.headers(), "Range": f"bytes={start}-{stop - 1}"}
    with get_session().stream("GET", address, headers=headers, timeout=REQUEST_TIMEOUT) as response:
        hf_raise_for_status(response)
        # One that sends the whole file although only a piece was asked for is read up to the end of the piece.
        skipped = start if response.status_code == 200 else 0
        content = bytearray()
        for block in response.iter_raw():
            content += block
            if len(content) >= skipped + stop - start:
                break
    return bytes(content[skipped : skipped + stop - start])


def write_sparse_copy(hub: Hub, repository: str, commit: str, file: RemoteFile, target: Path) -> None:
    """Write a file that has the header and the length of the safetensors file on the Hub, and holes for its data.

    Raises:
        BrokenModel: it has no header.
        HubError: as `fetch` does.
        OSError: it cannot be written.
    """
    head = fetch_range(hub, repository, commit, file.name, 0, min(_FIRST_BYTES, file.size_bytes))
    end = 8 + int.from_bytes(head[:8], "little")
    if len(head) < 8 or end > min(file.size_bytes, HEADER_LIMIT_BYTES):
        raise BrokenModel(f"{file.name} is no safetensors file. Try again, or choose another repository.")
    if end > len(head):
        head += fetch_range(hub, repository, commit, file.name, len(head), end)
    with target.open("wb") as outline:
        outline.write(head[:end])
        outline.truncate(file.size_bytes)
