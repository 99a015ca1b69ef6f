"""The border to the Hugging Face Hub: addresses, headers, the files of a repository, and errors in Facet's words.

Only job processes import this module, and with it `huggingface_hub`, which reads HF_ENDPOINT when it is imported.
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
"""Seconds until a person who waits for an answer hears that there is none."""
TRANSFER_TIMEOUT = httpx2.Timeout(20)
"""Seconds of silence after which a file is asked for again."""

_DATASETS = "datasets/"

_wrong_token: Mapping[TokenSource, str] = {
    "": "The Hub does not know this token. Make sure that all of it was copied; it may also have expired.",
    "keychain": "The Hub no longer accepts the access token: it has expired or was revoked. Sign in with a new one.",
    "environment": "The Hub does not accept the access token in HF_TOKEN: put another there, or remove that variable.",
    "huggingface": "The Hub does not accept the access token of `hf auth login`: run that again, or sign in to Facet.",
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
    """The Hub, as the owner of `token` sees it; "" is nobody. A token without a `source` has just been given."""

    token: str = ""
    source: TokenSource = ""

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> httpx2.Response:
        """Return the answer of the Hub's API to one question, put once; `path` follows the Hub's own address.

        `huggingface_hub` itself would go on asking for half a minute, or as long as it is told to wait.
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
        """Return the files of `repository` at the commit that `revision` names now.

        Raises:
            HubError: there is no such repository or revision, it may not be read, or the Hub cannot be reached.
        """
        if not is_safe(revision):
            raise HubNotFound(f"{revision!r} is not the name of a revision.")
        with self.translate_errors(repository, revision):
            validate_repo_id(repository)
            answer = self.get(f"/api/models/{repository}/revision/{quote(revision, safe='')}", {"blobs": True})
            info = model_info(answer.json())
            files = tuple(map(_remote_file, info.siblings or ()))
        if not is_commit(info.sha or ""):
            raise HubError(f"The Hub does not say which commit {revision!r} of {repository} is.")
        return Listing(repository, str(info.sha), files, info)

    def file(self, repository: str, revision: str, name: str) -> tuple[str, RemoteFile]:
        """Return one file of `repository`, and the commit that `revision` names now. No list is asked for: that of a
        data set may be long.

        Raises:
            HubError: there is no such repository, revision or file, it may not be read, or the Hub cannot be reached.
        """
        with self.translate_errors(repository, revision):
            validate_repo_id(repository.removeprefix(_DATASETS))
            try:
                found = get_hf_file_metadata(
                    self.file_url(repository, revision, name),
                    token=self.token or False,
                    timeout=REQUEST_TIMEOUT_S,
                    headers=self._headers(),
                )
            except foreign.EntryNotFoundError as error:
                raise HubNotFound(
                    f"{repository} has no file {name!r} at {revision!r}. Its page on the Hub lists its files."
                ) from error
            file = RemoteFile(name, -1 if found.size is None else found.size, found.etag or "")
        if not is_commit(found.commit_hash or ""):
            raise HubError(f"The Hub does not say which commit {revision!r} of {repository} is.")
        return str(found.commit_hash), file

    def who_am_i(self) -> str:
        """Return the name of the token's owner.

        Raises:
            WrongToken: the Hub does not know the token.
            HubError: the Hub cannot be asked.
        """
        if not re.fullmatch(r"[!-~]{4,512}", self.token):
            raise WrongToken("An access token is one word of plain letters; it begins with hf_.")
        with self.translate_errors("the account"):
            return str(self.get("/api/whoami-v2").json()["name"])

    def file_url(self, repository: str, commit: str, name: str) -> str:
        """Return where a file is to be had; "datasets/OWNER/NAME" is a data set, as in the Hub's own addresses."""
        kind = "dataset" if repository.startswith(_DATASETS) else "model"
        return hf_hub_url(repository.removeprefix(_DATASETS), name, revision=commit, repo_type=kind)

    def headers(self) -> dict[str, str]:
        """Return the headers for downloading a file as it is, not compressed."""
        return {**self._headers(), "Accept-Encoding": "identity"}

    @contextmanager
    def translate_errors(self, repository: str, revision: str = "main") -> Iterator[None]:
        """Translate whatever the Hub, its library or the network raises into a `HubError`."""
        try:
            yield
        except FacetError:
            raise
        except (foreign.HfHubHTTPError, httpx2.HTTPStatusError) as error:
            raise _explain_answer(error, repository, revision, self) from error
        except foreign.HFValidationError as error:
            raise HubNotFound(f"{repository!r} is not the name of a repository, which is owner/name.") from error
        except (httpx2.UnsupportedProtocol, httpx2.TooManyRedirects, httpx2.InvalidURL) as error:
            raise HubError("The Hub sends Facet to an address that it does not follow.") from error
        except (foreign.OfflineModeIsEnabled, httpx2.RequestError) as error:
            raise _explain_silence(error) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise HubError(
                "The Hub gave an answer that Facet does not understand. A network that wants you to sign in first, or "
                "a mirror (HF_ENDPOINT), may be why."
            ) from error

    def _headers(self) -> dict[str, str]:
        return build_hf_headers(
            token=self.token or False, library_name="facet", library_version=version_of("facet") or "0"
        )


def model_info(row: dict[str, Any]) -> ModelInfo:
    """Return what the Hub tells of one repository, as its library reads it."""
    return ModelInfo(**row)  # type: ignore[no-untyped-call]


def retry_after_s(response: httpx2.Response) -> int:
    """Return how many seconds the Hub asks to wait; 0 if it does not say."""
    asked = response.headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return int(asked[:6])
    limit = re.search(r";\s*t\s*=\s*(\d{1,6})", response.headers.get("RateLimit", ""))
    return int(limit.group(1)) if limit else 0


def _explain_answer(
    error: foreign.HfHubHTTPError | httpx2.HTTPStatusError, repository: str, revision: str, hub: Hub
) -> HubError:
    match error:
        case foreign.GatedRepoError() if hub.token:
            return NeedsConsent(
                f"{repository} has conditions that you must accept: open its page on the Hub, then try again."
            )
        case foreign.GatedRepoError():
            return NeedsToken(f"{repository} is only for people who have accepted its conditions: sign in first.")
        case foreign.RepositoryNotFoundError():
            unless = "or this account may not see it." if hub.token else "or it is private: then sign in first."
            return HubNotFound(f"There is no repository {repository}, {unless}")
        case foreign.RevisionNotFoundError():
            return HubNotFound(f"{repository} has no revision {revision!r}.")
        case foreign.EntryNotFoundError():
            return HubNotFound(f"{repository} has lost a file that it listed a moment ago. Try again.")
        case _:
            return _explain_status(error.response, repository, hub)


def _explain_status(response: httpx2.Response, repository: str, hub: Hub) -> HubError:
    status = response.status_code
    if status == 401:
        return WrongToken(_wrong_token[hub.source])
    if status == 429:
        seconds = retry_after_s(response)
        when = f"in {seconds} seconds" if seconds else "in a few minutes"
        return HubBusy(f"There were too many requests from here. Try again {when}; signing in allows more.", seconds)
    if status >= 500:
        return HubBusy(f"The Hub has a fault of its own ({status}). Try again in a few minutes.")
    return HubError(f"The Hub refuses to answer about {repository} ({status}).")


def _explain_silence(error: Exception) -> NoNetwork:
    if network.is_offline() or isinstance(error, foreign.OfflineModeIsEnabled):
        return Offline("Facet has been told to stay offline. Turn that off to search and download.")
    if isinstance(error, httpx2.TimeoutException):
        return NoNetwork("It does not answer. Check the network and try again.")
    return NoNetwork("There is no connection to it. Check the network and try again.")


def _remote_file(sibling: RepoSibling) -> RemoteFile:
    large = sibling.lfs
    digest = large.sha256 if large else sibling.blob_id
    size = large.size if large else sibling.size
    return RemoteFile(str(sibling.rfilename), -1 if size is None else int(size), digest or "")
