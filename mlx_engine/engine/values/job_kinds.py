"""The differences between downloads, conversions and uploads in the queue."""

from pathlib import Path
from typing import Literal

import msgspec

from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.errors import AlreadyExists
from mlx_engine.hub_messages import Download, DownloadPlanned
from mlx_engine.models.files import staging
from mlx_engine.models.hub.cache import cache_folder, discard_partial
from mlx_engine.models.hub.upload_messages import Publish
from mlx_engine.quantize.plan.messages import Convert, SourceArrived
from mlx_engine.quantize.plan.preflight import headers_folder
from mlx_engine.quantize.recipes.recipe import Recipe

QueuedRequest = Download | Convert | Publish
Lane = Literal["network", "machine"]


def lane(request: QueuedRequest) -> Lane:
    """Return the lane of the job. Jobs of one lane run one after the other, lanes run in parallel."""
    return "machine" if isinstance(request, Convert) else "network"


def can_restart(request: QueuedRequest) -> bool:
    """Return True if ending the process loses no work, since it is on disk or on the Hub.

    Other jobs pause inside their process.
    """
    return not isinstance(request, Convert)


def update_request(request: QueuedRequest, event: JobEvent) -> QueuedRequest:
    """Return the request a later process needs to resume after `event`."""
    match event:
        case DownloadPlanned():
            return msgspec.structs.replace(request, commit=event.commit)
        case SourceArrived() if isinstance(request, Convert):
            return msgspec.structs.replace(request, source=event.path, commit=event.commit)
        case _:
            return request


def is_same(first: QueuedRequest, second: QueuedRequest) -> bool:
    """Return True if both requests have the same result.

    Raises:
        AlreadyExists: they have different results with the same name.
    """
    match first, second:
        case Download(), Download():
            return _download_key(first) == _download_key(second)
        case Convert(), Convert():
            if Path(first.target) != Path(second.target):
                return False
            if _conversion_key(first) == _conversion_key(second):
                return True
            raise AlreadyExists(f"{first.model_id} is already being created with another recipe. Choose another name.")
        case Publish(), Publish():
            if first.repository.casefold() != second.repository.casefold():
                return False
            if Path(first.folder) == Path(second.folder):
                return True
            raise AlreadyExists(f"{first.repository} is already being published from another folder.")
        case _:
            return False


def discard_files(request: QueuedRequest) -> None:
    """Delete the partial files of a canceled job. Its process must have ended."""
    match request:
        case Download():
            discard_partial(cache_folder(), request.repository)
        case Convert():
            target = Path(request.target)
            for folder in (target, headers_folder(target)):
                staging.discard_partial(folder)
            if not request.source:
                discard_partial(cache_folder(), request.repository)
        case Publish():
            """An unfinished upload is not visible on the Hub."""


def _download_key(request: Download) -> tuple[str, str, tuple[str, ...]]:
    return request.repository, request.revision, request.include


def _conversion_key(request: Convert) -> tuple[Recipe, str]:
    return request.recipe, request.repository or request.source
