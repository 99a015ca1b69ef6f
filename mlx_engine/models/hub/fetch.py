"""Fetches one text of a data set from the Hub, as models are: taken up where it was left, verified, at one commit."""

from collections.abc import Iterator
from pathlib import Path

from mlx_engine.amounts import format_disk
from mlx_engine.errors import HubNotFound, UnsafeRepository
from mlx_engine.hub_messages import DatasetFetched, Download, FetchDataset, HubEvent
from mlx_engine.models.files.staging import storage_errors
from mlx_engine.models.hub.client import Hub
from mlx_engine.models.hub.datasets import Dataset, dataset, kept
from mlx_engine.models.hub.download import Plan, planned, require_room, transfer_all
from mlx_engine.models.hub.files import is_digest
from mlx_engine.models.hub.transfer import Patience

LARGEST_BYTES = 1_000_000_000
"""More than this is no text to measure on: the first 64 MB of it are read."""


def fetch(
    request: FetchDataset,
    hub: Hub,
    root: Path,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> Iterator[HubEvent]:
    """Yield what is planned, the progress, and the end. What is below `root` already is not asked for again.

    Raises:
        BadCorpus: the name is no data set's.
        HubError: the Hub cannot be reached, refuses, or sent something else than it had announced.
        NoSpace: the disk has no room.
        StorageError: it cannot be written.
    """
    wanted = dataset(request.dataset)
    here = kept(wanted, root)
    if here is None:
        yield from _bring(request, wanted, hub, root, patience)
        here = kept(wanted, root)
    if here is None:
        raise HubNotFound(f"{wanted.file} was removed while it was being fetched. Try again.")
    yield DatasetFetched(request.id, dataset=str(here[0]))


def _bring(request: FetchDataset, wanted: Dataset, hub: Hub, root: Path, patience: Patience) -> Iterator[HubEvent]:
    commit, file = hub.file(wanted.repository, wanted.revision, wanted.file)
    if not is_digest(file.digest) or file.size_bytes < 0:
        raise UnsafeRepository(f"The Hub describes {file.name!r} in a way that cannot be right.")
    if file.size_bytes > LARGEST_BYTES:
        raise HubNotFound(
            f"{file.name} has {format_disk(file.size_bytes)}; Facet fetches texts of up to "
            f"{format_disk(LARGEST_BYTES)}, of which it reads the beginning. Choose a smaller file of the data set."
        )
    plan = Plan((file,), wanted.place(root, commit))
    download = Download(id=request.id, repository=wanted.repository, revision=wanted.revision, commit=commit)
    require_room(wanted.repository, plan)
    yield planned(download, plan)
    yield from transfer_all(download, hub, plan, patience)
    with storage_errors(plan.place.folder):
        plan.place.appear(plan.files, wanted.revision)
