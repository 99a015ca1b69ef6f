"""What differs between the kinds of jobs in the queue: when one may run, what it is, what it leaves."""

from pathlib import Path
from typing import Literal

import msgspec

from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.errors import StorageError
from mlx_engine.hub_messages import Download, DownloadPlanned
from mlx_engine.models.files import staging
from mlx_engine.models.hub.cache import cache_folder, discard_partial
from mlx_engine.models.hub.upload_messages import Publish
from mlx_engine.quantize.plan.messages import Convert, SourceArrived
from mlx_engine.quantize.plan.preflight import headers_beside
from mlx_engine.quantize.recipes.recipe import Recipe

QueuedRequest = Download | Convert | Publish
Lane = Literal["network", "machine"]


def lane(request: QueuedRequest) -> Lane:
    """Return with which others it takes turns; lanes run beside each other."""
    return "machine" if isinstance(request, Convert) else "network"


def needs_network(request: QueuedRequest) -> bool:
    return not isinstance(request, Convert) or not request.source


def keeps_work(request: QueuedRequest) -> bool:
    """Tell whether a process that ends loses nothing, since it is on the disk, or on the Hub. One that would lose its
    work stands still instead.
    """
    return not isinstance(request, Convert)


def learn(request: QueuedRequest, event: JobEvent) -> QueuedRequest:
    """Return the request as a later process is to have it after `event`: going on from what is known and there."""
    match event:
        case DownloadPlanned():
            return msgspec.structs.replace(request, commit=event.commit)
        case SourceArrived() if isinstance(request, Convert):
            return msgspec.structs.replace(request, source=event.path, commit=event.commit)
        case _:
            return request


def is_same(one: QueuedRequest, other: QueuedRequest) -> bool:
    """Tell whether both ask for the same thing.

    Raises:
        StorageError: they would make different things in the same place.
    """
    match one, other:
        case Download(), Download():
            return _wanted(one) == _wanted(other)
        case Convert(), Convert():
            if Path(one.target) != Path(other.target):
                return False
            if _made(one) == _made(other):
                return True
            raise StorageError(f"{one.model_id} is being made already, in another way. Choose another name.")
        case Publish(), Publish():
            if one.repository.casefold() != other.repository.casefold():
                return False
            if Path(one.folder) == Path(other.folder):
                return True
            raise StorageError(f"{one.repository} is being published already, from another folder.")
        case _:
            return False


def leave_nothing(request: QueuedRequest) -> None:
    """Remove what a job that was given up has left on the disk. Nothing may work on it any more."""
    match request:
        case Download():
            discard_partial(cache_folder(), request.repository)
        case Convert():
            target = Path(request.target)
            for folder in (target, headers_beside(target)):
                staging.discard_partial(folder)
            if not request.source:
                discard_partial(cache_folder(), request.repository)
        case Publish():
            """The Hub shows nothing of what was not sent to its end."""


def _wanted(request: Download) -> tuple[str, str, tuple[str, ...]]:
    return request.repository, request.revision, request.include


def _made(request: Convert) -> tuple[Recipe, str]:
    return request.recipe, request.repository or request.source
