"""Requests to the Hub that write, and the translation of its refusals."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
from huggingface_hub import constants, get_session, hf_raise_for_status

from mlx_engine.errors import FacetError, HubError, HubFull, HubNotFound, NameTaken, ReadOnlyToken, WrongToken
from mlx_engine.models.hub.client import Hub

TIMEOUT = httpx2.Timeout(20, read=120)
"""Seconds of silence. The storage takes long to respond after it has received a large file."""
_LFS = {"Accept": "application/vnd.git-lfs+json", "Content-Type": "application/vnd.git-lfs+json"}


def post(hub: Hub, path: str, *, json: Any = None, lines: bytes | None = None) -> httpx2.Response:
    """Return the response to a POST request of `json`, or of `lines` of JSON, to the Hub's API, without retries."""
    kind = {"Content-Type": "application/x-ndjson"} if lines is not None else {}
    return _post(constants.ENDPOINT + path, hub.headers() | kind, json=json, content=lines)


def post_lfs(hub: Hub, url: str, content: Mapping[str, Any]) -> httpx2.Response:
    """Return the response to a git-lfs request. URLs of other hosts contain the authorization: they get no token."""
    authorization = hub.headers() if url.startswith(f"{constants.ENDPOINT}/") else {}
    return _post(url, authorization | _LFS, json=content)


def _post(url: str, headers: Mapping[str, str], *, json: Any, content: bytes | None = None) -> httpx2.Response:
    response = get_session().post(url, json=json, content=content, headers=headers, timeout=TIMEOUT)
    hf_raise_for_status(response)
    return response


@contextmanager
def translate_errors(hub: Hub, repository: str) -> Iterator[None]:
    """Translate errors as `Hub.translate_errors` does, and also those that only writing can cause."""
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
    message = response.headers.get("X-Error-Message", "").lower()
    if response.status_code in (413, 507) or (response.status_code in (402, 403) and "storage" in message):
        return HubFull(
            f"Not enough storage on the Hub for {repository}, or a file is too large. Check the storage of your "
            "account. Files that were already sent are not sent again."
        )
    if response.status_code == 403 or (response.status_code == 401 and isinstance(error, HubNotFound)):
        return read_only(repository)
    if response.status_code == 409:
        return NameTaken(f"{repository} already exists. Choose another name, or update it.")
    if response.status_code == 412:
        return HubError(
            f"{repository} was changed on the Hub during the upload, so nothing was published. Publish again: files "
            "that were already sent are not sent again."
        )
    return None


def read_only(repository: str) -> ReadOnlyToken:
    return ReadOnlyToken(
        f"The access token has no write permission for {repository}. Create one with write permission in your Hugging "
        "Face settings (Access Tokens), and sign in with it."
    )
