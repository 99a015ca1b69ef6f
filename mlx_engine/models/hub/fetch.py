"""Downloads one file of a data set from the Hub, like a model: resumable, verified, pinned to a commit."""

from collections.abc import Iterator
from pathlib import Path

from mlx_engine.amounts import format_disk
from mlx_engine.errors import HubNotFound, UnsafeRepository
from mlx_engine.hub_messages import DatasetFetched, Download, FetchDataset, HubEvent
from mlx_engine.models.files.staging import storage_errors
from mlx_engine.models.hub.client import Hub
from mlx_engine.models.hub.datasets import Dataset, find_local, parse_dataset
from mlx_engine.models.hub.download import DownloadPlan, plan_event, require_space, transfer_all
from mlx_engine.models.hub.file_download import RetryPolicy
from mlx_engine.models.hub.files import is_digest

LARGEST_BYTES = 1_000_000_000
"""Limit on the size of a file; only its first 64 MB are read."""


def fetch_dataset(
    request: FetchDataset,
    hub: Hub,
    root: Path,
    retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
) -> Iterator[HubEvent]:
    """Yield the plan, the progress, and the result. A text that is already below `root` is not downloaded again.

    Raises:
        BadCorpus: the data set's name is not valid.
        HubError: the Hub cannot be reached, refuses, or sent content that differs from its listing.
        NoSpace: the disk has too little space.
        StorageError: the text cannot be written.
    """
    dataset = parse_dataset(request.dataset)
    local = find_local(dataset, root)
    if local is None:
        yield from _download(request, dataset, hub, root, retries)
        local = find_local(dataset, root)
    if local is None:
        raise HubNotFound(f"{dataset.file} was deleted during the download. Try again.")
    yield DatasetFetched(request.id, dataset=str(local[0]))


def _download(
    request: FetchDataset, dataset: Dataset, hub: Hub, root: Path, retries: RetryPolicy
) -> Iterator[HubEvent]:
    commit, file = hub.file(dataset.repository, dataset.revision, dataset.file)
    if not is_digest(file.digest) or file.size_bytes < 0:
        raise UnsafeRepository(f"The Hub's description of {file.name!r} is not valid.")
    if file.size_bytes > LARGEST_BYTES:
        raise HubNotFound(
            f"{file.name} is too large ({format_disk(file.size_bytes)}). Choose a file of at most "
            f"{format_disk(LARGEST_BYTES)}."
        )
    plan = DownloadPlan((file,), dataset.cached_revision(root, commit))
    download = Download(id=request.id, repository=dataset.repository, revision=dataset.revision, commit=commit)
    require_space(dataset.repository, plan)
    yield plan_event(download, plan)
    yield from transfer_all(download, hub, plan, retries)
    with storage_errors(plan.revision.folder):
        plan.revision.link_files(plan.files, dataset.revision)
