"""Questions to the Hub that change something, and what its refusals mean, in Facet's words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
from huggingface_hub import constants, get_session, hf_raise_for_status

from mlx_engine.errors import FacetError, HubError, HubFull, HubNotFound, NameTaken, ReadOnlyToken, WrongToken
from mlx_engine.models.hub.client import Hub

TIMEOUT = httpx2.Timeout(20, read=120)
"""Seconds of silence. When it has received a large file, the storage takes its time to answer."""
_LFS = {"Accept": "application/vnd.git-lfs+json", "Content-Type": "application/vnd.git-lfs+json"}


def post(hub: Hub, path: str, *, json: Any = None, lines: bytes | None = None) -> httpx2.Response:
    """Return the answer of the Hub to one order, given once: `json`, or `lines` of JSON; `path` follows its address."""
    kind = {"Content-Type": "application/x-ndjson"} if lines is not None else {}
    return _post(constants.ENDPOINT + path, hub.headers() | kind, json=json, content=lines)


def post_lfs(hub: Hub, address: str, order: Mapping[str, Any]) -> httpx2.Response:
    """Return the answer to an order of git-lfs. An address elsewhere carries the right to it: no token goes there."""
    own = hub.headers() if address.startswith(f"{constants.ENDPOINT}/") else {}
    return _post(address, own | _LFS, json=order)


def _post(address: str, headers: Mapping[str, str], *, json: Any, content: bytes | None = None) -> httpx2.Response:
    response = get_session().post(address, json=json, content=content, headers=headers, timeout=TIMEOUT)
    hf_raise_for_status(response)
    return response


@contextmanager
def translate_errors(hub: Hub, repository: str) -> Iterator[None]:
    """Translate as `Hub.translate_errors` does, and what only writing can meet besides."""
    try:
        with hub.translate_errors(repository):
            yield
    except WrongToken:
        raise
    except FacetError as error:
        if refusal := _refusal(error, repository):
            raise refusal from error
        raise


def _refusal(error: FacetError, repository: str) -> HubError | None:
    response = getattr(error.__cause__, "response", None)
    if response is None:
        return None
    said = response.headers.get("X-Error-Message", "").lower()
    if response.status_code in (413, 507) or (response.status_code in (402, 403) and "storage" in said):
        return HubFull(
            f"It has no room for {repository}, or a file is too large for it. Look at the storage of your account on "
            "the Hub; what has been sent is kept for another try."
        )
    if response.status_code == 403 or (response.status_code == 401 and isinstance(error, HubNotFound)):
        return read_only(repository)
    if response.status_code == 409:
        return NameTaken(f"There is a repository {repository} already. Choose another name, or update that one.")
    if response.status_code == 412:
        return HubError(
            f"{repository} was changed on the Hub during the upload, so nothing was published. Publish again: files "
            "that were already sent are not sent again."
        )
    return None


def read_only(repository: str) -> ReadOnlyToken:
    return ReadOnlyToken(
        f"The access token does not allow writing to {repository}. Make one with the right to write in the Hub's "
        "settings (Access Tokens), and sign in with it."
    )
