"""The Hub's part of the contract between Facet and a job process: one JSON object per line, as in `protocol.py`.

`engine/values/job_messages.py` joins it with the other parts. A job process serves long-running requests and those that
need the network, one after the other, and ends when its standard input closes. A later process can resume its work.

    parent                             job process
    Download ─────────────────────────►
      ◄── DownloadPlanned … DownloadProgress | Waiting … Downloaded | RequestFailed
    FetchDataset ─────────────────────►
      ◄── DownloadPlanned … DownloadProgress | Waiting … DatasetFetched | RequestFailed
    Search ───────────────────────────►
      ◄───────────────────────────────── SearchResults | RequestFailed
    ReadModel ────────────────────────►
      ◄───────────────────────────────── ModelPage | RequestFailed
    SignIn | WhoAmI | SignOut ────────►
      ◄────────────────────────────────── Account | RequestFailed

This module imports only `protocol.py`.
"""

from typing import Literal

import msgspec

from mlx_engine.protocol import type_tag

SearchOrder = Literal["downloads", "likes", "recent"]
TokenSource = Literal["", "keychain", "environment", "huggingface"]
"""Origin of the access token: none, Facet's keychain entry, HF_TOKEN, or `hf auth login`."""


class Download(msgspec.Struct, frozen=True, kw_only=True, tag="download", tag_field=type_tag):
    """Download a repository into the Hugging Face cache.

    `revision` is a branch, a tag or a commit; `commit` is the commit it named when the download started, once known.
    `include` lists file name patterns; if empty, the files a model needs to run.
    """

    id: str
    repository: str
    revision: str = "main"
    commit: str = ""
    include: tuple[str, ...] = ()


class FetchDataset(msgspec.Struct, frozen=True, tag="fetch_dataset", tag_field=type_tag):
    """Fetch the text of the data set `dataset`, a name in `models/hub/datasets.py`."""

    id: str
    dataset: str


class SearchFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Filters of a search. Empty and zero mean any."""

    text: str = ""
    author: str = ""
    only_mlx: bool = True
    only_text_generation: bool = True
    size_classes: tuple[str, ...] = ()
    """Names in `models/description/size_class.py`; variants of unknown size do not match."""
    largest_bytes: int = 0
    """Maximum size of the weights on disk; variants of unknown size match."""
    license: str = ""
    """The Hub's name for it, such as "apache-2.0"."""
    gated: bool | None = None
    order: SearchOrder = "downloads"
    limit: int = 60
    """Maximum number of repositories to inspect."""


class Search(msgspec.Struct, frozen=True, tag="search", tag_field=type_tag):
    id: str
    filters: SearchFilters


class ReadModel(msgspec.Struct, frozen=True, tag="read_model", tag_field=type_tag):
    """Read the page of one repository: card, files, configuration, evaluations."""

    id: str
    repository: str
    revision: str = "main"


class SignIn(msgspec.Struct, frozen=True, tag="sign_in", tag_field=type_tag):
    """Check an access token and, if it is valid, store it in the keychain."""

    id: str
    token: str

    def __repr__(self) -> str:
        return f"SignIn(id={self.id!r}, token=…)"


class SignOut(msgspec.Struct, frozen=True, tag="sign_out", tag_field=type_tag):
    """Remove the access token from the keychain."""

    id: str


class WhoAmI(msgspec.Struct, frozen=True, tag="who_am_i", tag_field=type_tag):
    """Ask for the owner of the access token in use."""

    id: str


HubRequest = Download | FetchDataset | Search | ReadModel | SignIn | SignOut | WhoAmI


class FileProgress(msgspec.Struct, frozen=True):
    """Bytes of one file that are on this Mac."""

    name: str
    done_bytes: int
    total_bytes: int


class DownloadPlanned(msgspec.Struct, frozen=True, kw_only=True, tag="planned", tag_field=type_tag):
    """The plan of a download: commit, files, and bytes still missing."""

    id: str
    repository: str
    commit: str
    files: tuple[FileProgress, ...]
    total_bytes: int
    missing_bytes: int


class DownloadProgress(msgspec.Struct, frozen=True, kw_only=True, tag="progress", tag_field=type_tag):
    """Progress of a download; `files` are those in transfer. `remaining_s` is None while it cannot be estimated."""

    id: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    remaining_s: float | None
    files: tuple[FileProgress, ...]


class Waiting(msgspec.Struct, frozen=True, tag="waiting", tag_field=type_tag):
    """The next attempt starts in `seconds`; `reason` is a sentence."""

    id: str
    seconds: float
    reason: str


class Downloaded(msgspec.Struct, frozen=True, kw_only=True, tag="downloaded", tag_field=type_tag):
    """The complete, verified model is in the folder `path`."""

    id: str
    repository: str
    commit: str
    path: str
    size_bytes: int


class DatasetFetched(msgspec.Struct, frozen=True, tag="dataset_fetched", tag_field=type_tag):
    """The complete, verified text is on this Mac. `dataset` is its name with the commit, which pins the text."""

    id: str
    dataset: str


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """A repository in search results."""

    repository: str
    base_model: str
    """The repository it was converted from; its own name if none."""
    is_mlx: bool
    quantization: str
    """A label such as "4-bit" or "bf16"; "" if unknown."""
    parameters: int
    """Number of weights before packing; 0 if unknown."""
    size_bytes: int
    """Size of the weights; 0 if unknown."""
    license: str
    gated: bool
    downloads: int
    likes: int
    updated: str
    """ISO 8601 date."""


class ModelGroup(msgspec.Struct, frozen=True):
    """The variants of one base model, in search order."""

    base_model: str
    variants: tuple[Variant, ...]


class SearchResults(msgspec.Struct, frozen=True, tag="results", tag_field=type_tag):
    id: str
    groups: tuple[ModelGroup, ...]


class RemoteFile(msgspec.Struct, frozen=True):
    """A file on the Hub; `digest` is the SHA-256 of a large file, the git object id of any other."""

    name: str
    size_bytes: int
    digest: str


class Evaluation(msgspec.Struct, frozen=True):
    """A benchmark result stated on the model card."""

    dataset: str
    metric: str
    value: float


class ModelPage(msgspec.Struct, frozen=True, kw_only=True, tag="page", tag_field=type_tag):
    """A repository at one commit. `card` is unchecked Markdown."""

    id: str
    variant: Variant
    commit: str
    card: str
    files: tuple[RemoteFile, ...]
    needed_bytes: int
    """Size of a download of this model."""
    evaluations: tuple[Evaluation, ...]
    configuration: str = ""
    """The unchecked text of config.json; "" if there is none, or if it requires signing in."""


class Account(msgspec.Struct, frozen=True, tag="account", tag_field=type_tag):
    """The signed-in user; `name` is "" if signed out."""

    id: str
    name: str
    source: TokenSource


HubEvent = (
    DownloadPlanned | DownloadProgress | Waiting | Downloaded | DatasetFetched | SearchResults | ModelPage | Account
)
