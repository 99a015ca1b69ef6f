"""Fetches one text of a data set from the Hub, as models are: taken up where it was left, verified, at one commit."""

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
"""More than this is no text to measure on: the first 64 MB of it are read."""


def fetch_dataset(
    request: FetchDataset,
    hub: Hub,
    root: Path,
    retries: RetryPolicy = RetryPolicy(),  # noqa: B008 - frozen
) -> Iterator[HubEvent]:
    """Yield what is planned, the progress, and the end. What is below `root` already is not asked for again.

    Raises:
        BadCorpus: the name is no data set's.
        HubError: the Hub cannot be reached, refuses, or sent something else than it had announced.
        NoSpace: the disk has no room.
        StorageError: it cannot be written.
    """
    wanted = parse_dataset(request.dataset)
    here = find_local(wanted, root)
    if here is None:
        yield from _bring(request, wanted, hub, root, retries)
        here = find_local(wanted, root)
    if here is None:
        raise HubNotFound(f"{wanted.file} was removed while it was being fetched. Try again.")
    yield DatasetFetched(request.id, dataset=str(here[0]))


def _bring(request: FetchDataset, wanted: Dataset, hub: Hub, root: Path, retries: RetryPolicy) -> Iterator[HubEvent]:
    commit, file = hub.file(wanted.repository, wanted.revision, wanted.file)
    if not is_digest(file.digest) or file.size_bytes < 0:
        raise UnsafeRepository(f"The Hub describes {file.name!r} in a way that cannot be right.")
    if file.size_bytes > LARGEST_BYTES:
        raise HubNotFound(
            f"{file.name} has {format_disk(file.size_bytes)}; Facet fetches texts of up to "
            f"{format_disk(LARGEST_BYTES)}, of which it reads the beginning. Choose a smaller file of the data set."
        )
    plan = DownloadPlan((file,), wanted.cached_revision(root, commit))
    download = Download(id=request.id, repository=wanted.repository, revision=wanted.revision, commit=commit)
    require_space(wanted.repository, plan)
    yield plan_event(download, plan)
    yield from transfer_all(download, hub, plan, retries)
    with storage_errors(plan.revision.folder):
        plan.revision.link_files(plan.files, wanted.revision)
