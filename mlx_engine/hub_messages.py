"""What Facet and a job process say to each other about the Hub: one JSON object a line, as in `protocol.py`.

What they say about conversions is in `quantize/messages.py`; `engine/job_messages.py` reads both. A job process does
what takes long or needs the network, one request after the other, and ends when its standard input closes. Whatever
it is doing then can be taken up again by a later one.

    parent                             job process
    Download ─────────────────────────►
      ◄── DownloadPlanned … DownloadProgress | Waiting … Downloaded | JobFailed
    FetchDataset ─────────────────────►
      ◄── DownloadPlanned … DownloadProgress | Waiting … DatasetFetched | JobFailed
    Search ───────────────────────────►
      ◄───────────────────────────────── SearchResults | JobFailed
    ReadModel ────────────────────────►
      ◄───────────────────────────────── ModelPage | JobFailed
    SignIn | WhoAmI | SignOut ────────►
      ◄────────────────────────────────── Account | JobFailed

Lines are written by `protocol.encode`. This module imports `protocol.py` and nothing else of Facet.
"""

from typing import Literal

import msgspec

from mlx_engine.protocol import type_tag

SearchOrder = Literal["downloads", "likes", "recent"]
TokenSource = Literal["", "keychain", "environment", "huggingface"]
"""Where the access token comes from: nowhere, Facet's own, HF_TOKEN, or what `hf auth login` has kept."""


class Download(msgspec.Struct, frozen=True, kw_only=True, tag="download", tag_field=type_tag):
    """Bring a repository into the Hugging Face cache.

    `revision` is a branch, a tag or a commit; `commit`, once it is known, which one it was when the download began.
    `include` are patterns of file names; without any, it is what a model needs to run.
    """

    id: str
    repository: str
    revision: str = "main"
    commit: str = ""
    include: tuple[str, ...] = ()


class FetchDataset(msgspec.Struct, frozen=True, tag="fetch_dataset", tag_field=type_tag):
    """Fetch the text of a data set that is called so (`models/hub/datasets.py`)."""

    id: str
    dataset: str


class SearchFilters(msgspec.Struct, frozen=True, kw_only=True):
    """What to look for. Empty and zero mean: any."""

    text: str = ""
    author: str = ""
    only_mlx: bool = True
    only_text_generation: bool = True
    size_classes: tuple[str, ...] = ()
    """As `models/size_class.py` names them; variants of unknown size do not pass."""
    largest_bytes: int = 0
    """Weights on disk; variants of unknown size pass."""
    licence: str = ""
    """The Hub's own name of it: "apache-2.0"."""
    gated: bool | None = None
    order: SearchOrder = "downloads"
    limit: int = 60
    """How many repositories to look at, at most."""


class Search(msgspec.Struct, frozen=True, tag="search", tag_field=type_tag):
    id: str
    filters: SearchFilters


class ReadModel(msgspec.Struct, frozen=True, tag="read_model", tag_field=type_tag):
    """Read the page of one repository: card, files, configuration, evaluations."""

    id: str
    repository: str
    revision: str = "main"


class SignIn(msgspec.Struct, frozen=True, tag="sign_in", tag_field=type_tag):
    """Try an access token and, if the Hub knows it, keep it in the keychain."""

    id: str
    token: str

    def __repr__(self) -> str:
        return f"SignIn(id={self.id!r}, token=…)"


class SignOut(msgspec.Struct, frozen=True, tag="sign_out", tag_field=type_tag):
    """Take the access token out of the keychain."""

    id: str


class WhoAmI(msgspec.Struct, frozen=True, tag="who_am_i", tag_field=type_tag):
    """Ask whose access token is in use."""

    id: str


HubRequest = Download | FetchDataset | Search | ReadModel | SignIn | SignOut | WhoAmI


class FileProgress(msgspec.Struct, frozen=True):
    """How much of one file is on this machine."""

    name: str
    done_bytes: int
    total_bytes: int


class DownloadPlanned(msgspec.Struct, frozen=True, kw_only=True, tag="planned", tag_field=type_tag):
    """What will be downloaded, from which commit, with what is there already."""

    id: str
    repository: str
    commit: str
    files: tuple[FileProgress, ...]
    total_bytes: int
    missing_bytes: int


class DownloadProgress(msgspec.Struct, frozen=True, kw_only=True, tag="progress", tag_field=type_tag):
    """How far it is; `files` are those being downloaded now. `remaining_s` is None while nobody can tell."""

    id: str
    done_bytes: int
    total_bytes: int
    bytes_per_s: float
    remaining_s: float | None
    files: tuple[FileProgress, ...]


class Waiting(msgspec.Struct, frozen=True, tag="waiting", tag_field=type_tag):
    """The next try comes in so many seconds; `reason` is a sentence."""

    id: str
    seconds: float
    reason: str


class Downloaded(msgspec.Struct, frozen=True, kw_only=True, tag="downloaded", tag_field=type_tag):
    """The model is there, whole and verified, in the folder `path`."""

    id: str
    repository: str
    commit: str
    path: str
    size_bytes: int


class DatasetFetched(msgspec.Struct, frozen=True, tag="dataset_fetched", tag_field=type_tag):
    """The text is there, whole and verified. `dataset` is its name with the commit, which stays the same for ever."""

    id: str
    dataset: str


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """One repository of a search."""

    repository: str
    base_model: str
    """The repository it was made from; its own if from none."""
    is_mlx: bool
    quantization: str
    """For people: "4-bit", "bf16"; "" when unknown."""
    parameters: int
    """Quantized ones counted one by one; 0 when unknown."""
    size_bytes: int
    """Of the weights; 0 when unknown."""
    licence: str
    gated: bool
    downloads: int
    likes: int
    updated: str
    """The day, ISO 8601."""


class ModelGroup(msgspec.Struct, frozen=True):
    """The variants of one base model, in the order of the search."""

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
    """A result that the card claims."""

    dataset: str
    metric: str
    value: float


class ModelPage(msgspec.Struct, frozen=True, kw_only=True, tag="page", tag_field=type_tag):
    """A repository at one commit. `card` is Markdown that nobody has checked."""

    id: str
    variant: Variant
    commit: str
    card: str
    files: tuple[RemoteFile, ...]
    needed_bytes: int
    """What a download would bring."""
    evaluations: tuple[Evaluation, ...]
    configuration: str = ""
    """config.json as it stands, which nobody has checked either; "" if there is none, or only for people signed in."""


class Account(msgspec.Struct, frozen=True, tag="account", tag_field=type_tag):
    """Who is signed in; `name` is "" if nobody is."""

    id: str
    name: str
    source: TokenSource


class JobFailed(msgspec.Struct, frozen=True, kw_only=True, tag="job_failed", tag_field=type_tag):
    """A request has ended with an error; `error` is its class in `errors.py`."""

    id: str
    error: str
    title: str
    message: str
    retry_after_s: int = 0


HubEvent = (
    DownloadPlanned
    | DownloadProgress
    | Waiting
    | Downloaded
    | DatasetFetched
    | SearchResults
    | ModelPage
    | Account
    | JobFailed
)
