"""The client of the Hugging Face Hub: URLs, headers, the files of a repository, and the translation of errors.

Only job processes import this module. It imports `huggingface_hub`, which reads HF_ENDPOINT on import.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2
from huggingface_hub import constants, get_hf_file_metadata, get_session, hf_hub_url, hf_raise_for_status
from huggingface_hub import errors as foreign
from huggingface_hub.hf_api import ModelInfo, RepoSibling
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # exported lazily
    build_hf_headers,
    validate_repo_id,
)

from mlx_engine import network
from mlx_engine.errors import (
    FacetError,
    HubBusy,
    HubError,
    HubNotFound,
    NeedsConsent,
    NeedsToken,
    NoNetwork,
    Offline,
    WrongToken,
)
from mlx_engine.hub_messages import RemoteFile, TokenSource
from mlx_engine.models.hub.files import is_commit, is_safe
from mlx_engine.versions import version_of

REQUEST_TIMEOUT_S = 10.0
REQUEST_TIMEOUT = httpx2.Timeout(REQUEST_TIMEOUT_S, connect=4)
"""Short, since the user is waiting for the answer."""
TRANSFER_TIMEOUT = httpx2.Timeout(20)
"""Seconds of silence after which the rest of a file is requested again."""

_DATASETS = "datasets/"

_wrong_token: Mapping[TokenSource, str] = {
    "": "The Hub doesn't accept this token. Make sure you copied all of it and that it hasn't expired.",
    "keychain": "Your access token has expired or was revoked. Sign in with a new token.",
    "environment": "The Hub doesn't accept the access token in HF_TOKEN. Change or remove that variable.",
    "huggingface": "The Hub doesn't accept the access token of `hf auth login`. Run it again, or sign in to Facet.",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository at one commit."""

    repository: str
    commit: str
    files: tuple[RemoteFile, ...]
    info: ModelInfo


@dataclass(frozen=True, slots=True)
class Hub:
    """The Hub as seen by the owner of `token`; "" means signed out. A token that was just entered has no `source`."""

    token: str = ""
    source: TokenSource = ""

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> httpx2.Response:
        """Return the response of the Hub's API to a GET request for `path`, without retries.

        `huggingface_hub` would retry for half a minute, or as long as the Hub asks it to wait.
        """
        response = get_session().get(
            constants.ENDPOINT + path,
            params=parameters,
            headers=self._headers(),
            timeout=REQUEST_TIMEOUT,
        )
        hf_raise_for_status(response)
        return response

    def list_files(self, repository: str, revision: str) -> Listing:
        """Return the files of `repository` at the current commit of `revision`.

        Raises:
            HubError: the repository or revision does not exist or is not accessible, or the Hub cannot be reached.
        """
        if not is_safe(revision):
            raise HubNotFound(f"{revision!r} is not a valid revision name.")
        with self.translate_errors(repository, revision):
            validate_repo_id(repository)
            answer = self.get(f"/api/models/{repository}/revision/{quote(revision, safe='')}", {"blobs": True})
            info = model_info(answer.json())
            files = tuple(map(_remote_file, info.siblings or ()))
        if not is_commit(info.sha or ""):
            raise HubError(f"The Hub didn't return the commit of {revision!r} in {repository}. Try again.")
        return Listing(repository, str(info.sha), files, info)

    def file(self, repository: str, revision: str, name: str) -> tuple[str, RemoteFile]:
        """Return the current commit of `revision`, and one file of `repository`.

        The list of files is not requested, since that of a data set can be long.

        Raises:
            HubError: the repository, revision or file does not exist or is not accessible, or the Hub cannot be
                reached.
        """
        with self.translate_errors(repository, revision):
            validate_repo_id(repository.removeprefix(_DATASETS))
            try:
                metadata = get_hf_file_metadata(
                    self.file_url(repository, revision, name),
                    token=self.token or False,
                    timeout=REQUEST_TIMEOUT_S,
                    headers=self._headers(),
                )
            except foreign.EntryNotFoundError as error:
                raise HubNotFound(
                    f"{repository} has no file {name!r} at {revision!r}. See its page on the Hub for the files."
                ) from error
            file = RemoteFile(name, -1 if metadata.size is None else metadata.size, metadata.etag or "")
        if not is_commit(metadata.commit_hash or ""):
            raise HubError(f"The Hub didn't return the commit of {revision!r} in {repository}. Try again.")
        return str(metadata.commit_hash), file

    def who_am_i(self) -> str:
        """Return the name of the token's owner.

        Raises:
            WrongToken: the token is not valid.
            HubError: the Hub cannot be reached.
        """
        if not re.fullmatch(r"[!-~]{4,512}", self.token):
            raise WrongToken("An access token starts with “hf_” and contains no spaces.")
        with self.translate_errors("the account"):
            return str(self.get("/api/whoami-v2").json()["name"])

    def file_url(self, repository: str, commit: str, name: str) -> str:
        """Return the URL of a file. "datasets/OWNER/NAME" is a data set, as in the Hub's URLs."""
        kind = "dataset" if repository.startswith(_DATASETS) else "model"
        return hf_hub_url(repository.removeprefix(_DATASETS), name, revision=commit, repo_type=kind)

    def headers(self) -> dict[str, str]:
        """Return the headers for downloading a file without compression."""
        return {**self._headers(), "Accept-Encoding": "identity"}

    @contextmanager
    def translate_errors(self, repository: str, revision: str = "main") -> Iterator[None]:
        """Translate all exceptions of the Hub, its library and the network into a `HubError`."""
        try:
            yield
        except FacetError:
            raise
        except (foreign.HfHubHTTPError, httpx2.HTTPStatusError) as error:
            raise _explain_answer(error, repository, revision, self) from error
        except foreign.HFValidationError as error:
            raise HubNotFound(f"{repository!r} is not a valid repository name. Use OWNER/NAME.") from error
        except (httpx2.UnsupportedProtocol, httpx2.TooManyRedirects, httpx2.InvalidURL) as error:
            raise HubError("The Hub redirected to an address that Facet doesn't follow.") from error
        except (foreign.OfflineModeIsEnabled, httpx2.RequestError) as error:
            raise _explain_silence(error) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise HubError(
                "The Hub's response is not valid. A network that requires you to sign in, or a mirror (HF_ENDPOINT), "
                "may be the cause."
            ) from error

    def _headers(self) -> dict[str, str]:
        return build_hf_headers(
            token=self.token or False, library_name="facet", library_version=version_of("facet") or "0"
        )


def model_info(row: dict[str, Any]) -> ModelInfo:
    """Return the Hub's description of a repository as an object of its library."""
    return ModelInfo(**row)  # type: ignore[no-untyped-call]


def retry_after_s(response: httpx2.Response) -> int:
    """Return the number of seconds that the Hub asks to wait; 0 if it does not specify any."""
    seconds = response.headers.get("Retry-After", "").strip()
    if seconds.isdecimal():
        return int(seconds[:6])
    limit = re.search(r";\s*t\s*=\s*(\d{1,6})", response.headers.get("RateLimit", ""))
    return int(limit.group(1)) if limit else 0


def _explain_answer(
    error: foreign.HfHubHTTPError | httpx2.HTTPStatusError, repository: str, revision: str, hub: Hub
) -> HubError:
    match error:
        case foreign.GatedRepoError() if hub.token:
            return NeedsConsent(
                f"You need to accept the terms of {repository}. Open its page on the Hub, then try again."
            )
        case foreign.GatedRepoError():
            return NeedsToken(f"You need to accept the terms of {repository} on the Hub. Sign in first.")
        case foreign.RepositoryNotFoundError():
            reason = "or your account has no access to it." if hub.token else "or is private. Sign in to access it."
            return HubNotFound(f"{repository} doesn't exist, {reason}")
        case foreign.RevisionNotFoundError():
            return HubNotFound(f"{repository} has no revision {revision!r}.")
        case foreign.EntryNotFoundError():
            return HubNotFound(f"A file of {repository} was removed during the download. Try again.")
        case _:
            return _explain_status(error.response, repository, hub)


def _explain_status(response: httpx2.Response, repository: str, hub: Hub) -> HubError:
    status = response.status_code
    if status == 401:
        return WrongToken(_wrong_token[hub.source])
    if status == 429:
        seconds = retry_after_s(response)
        when = f"in {seconds} seconds" if seconds else "in a few minutes"
        return HubBusy(f"Too many requests to the Hub. Try again {when}. Signing in raises the limit.", seconds)
    if status >= 500:
        return HubBusy(f"The Hub has an internal problem (error {status}). Try again in a few minutes.")
    return HubError(f"The Hub refused the request for {repository} (error {status}).")


def _explain_silence(error: Exception) -> NoNetwork:
    if variable := network.hub_offline_variable():
        return Offline(f"The environment variable {variable} is set. Unset it and start Facet again.")
    if network.is_offline() or isinstance(error, foreign.OfflineModeIsEnabled):
        return Offline("Facet is set to stay offline. Turn this off to search and download models.")
    if isinstance(error, httpx2.TimeoutException):
        return NoNetwork("The Hub isn't responding. Check the network and try again.")
    return NoNetwork("Couldn't connect to the Hub. Check the network and try again.")


def _remote_file(sibling: RepoSibling) -> RemoteFile:
    large = sibling.lfs
    digest = large.sha256 if large else sibling.blob_id
    size = large.size if large else sibling.size
    return RemoteFile(str(sibling.rfilename), -1 if size is None else int(size), digest or "")
