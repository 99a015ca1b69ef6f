"""Serves conversions of models on the Hub: each weight file is converted as soon as it is downloaded and verified.

The result is known from the file headers before any weights arrive. A model whose headers are not enough is downloaded
completely first.
"""

import shutil
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mlx_engine.engine.children import conversion_events, job_hub
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.errors import AlreadyExists
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import Download, Downloaded, RemoteFile, Waiting
from mlx_engine.models.files import staging
from mlx_engine.models.files.staging import storage_errors
from mlx_engine.models.hub.cache import CachedRevision, cache_folder
from mlx_engine.models.hub.client import Hub
from mlx_engine.models.hub.delivery import Delivery
from mlx_engine.models.hub.download import DownloadPlan, make_plan, plan_event
from mlx_engine.models.hub.skeleton import is_weights, write_skeleton
from mlx_engine.quantize.mlx.convert import WriteProgress, convert
from mlx_engine.quantize.mlx.opening import open_source
from mlx_engine.quantize.mlx.source import NotArrived, Source, supply_of
from mlx_engine.quantize.plan import preflight
from mlx_engine.quantize.plan.messages import Convert, OutlineRead, ReadOutline, SourceArrived, SourceProgress
from mlx_engine.quantize.plan.supply import Supply


@dataclass(frozen=True, slots=True)
class _Task:
    """A conversion with its download."""

    request: Convert
    hub: Hub
    plan: DownloadPlan
    delivery: Delivery

    @property
    def weights(self) -> dict[str, RemoteFile]:
        return {file.name: file for file in self.plan.files if is_weights(file)}


def serve(request: Convert) -> Generator[JobEvent, None, Convert | None]:
    """Yield the events of a conversion without a local source.

    Returns the request with a local source if the model was downloaded completely and is still to be converted.

    Raises:
        FacetError: the request failed.
    """
    hub = job_hub.current_hub()
    download = Download(id=request.id, repository=request.repository, revision=request.revision, commit=request.commit)
    plan = make_plan(download, hub, cache_folder())
    if plan.missing_bytes:
        yield plan_event(download, plan)
        request = msgspec.structs.replace(request, commit=plan.revision.commit)
        delivery = Delivery(hub, request.repository, plan.revision, id=request.id, keeps=not request.remove_source)
        with delivery, _skeleton(request, hub, plan) as folder:
            if (source := _open(folder, delivery)) is not None:
                with closing(source):
                    yield from _convert(_Task(request, hub, plan, delivery), source)
                return None
    return (yield from _download(download, request))


def read_outline(request: ReadOutline) -> OutlineRead:
    """Return the outline of a model on the Hub.

    Raises:
        FacetError: the outline cannot be read, or only from the weights.
    """
    hub = job_hub.current_hub()
    download = Download(id=request.id, repository=request.repository, revision=request.revision)
    plan = make_plan(download, hub, cache_folder())
    commit, name = plan.revision.commit, request.repository.rpartition("/")[2]
    target = Folders.from_environment().cache / "headers" / commit
    with storage_errors(target), staging.locked_partial(target) as partial:
        for old in target.parent.iterdir():
            if old != partial and not old.name.endswith(".partial"):
                shutil.rmtree(old)
        revision = CachedRevision(partial / "contents", commit)
        write_skeleton(
            hub, request.repository, DownloadPlan(plan.files, revision), partial / name, on_wait=lambda *_: None
        )
        staging.put_in_place(partial, target)
    with (
        Delivery(hub, request.repository, plan.revision, id=request.id, keeps=True) as delivery,
        closing(open_source(target / name, delivery)) as source,
    ):
        missing = _missing(plan)
        return OutlineRead(
            request.id,
            source.outline,
            source.notes,
            path=str(target / name),
            commit=commit,
            missing_bytes=sum(missing.values()),
            least_bytes=supply_of(source, source.outline.parameters).peak_bytes(missing, at_once=1),
        )


def _download(download: Download, request: Convert) -> Generator[JobEvent, None, Convert]:
    """Download the complete source; return the request with that source."""
    for event in job_hub.serve(download):
        if isinstance(event, Downloaded):
            yield SourceArrived(request.id, event.path, event.commit)
            return msgspec.structs.replace(request, source=event.path, commit=event.commit)
        yield event
    raise AssertionError


@contextmanager
def _skeleton(request: Convert, hub: Hub, plan: DownloadPlan) -> Iterator[Path]:
    """Yield the folder of the headers. It is next to the target, so that cleaning up one finds the other."""
    target = Path(request.target)
    headers = preflight.headers_folder(target)
    preflight.check_target(headers, target)
    if staging.is_worked_on(headers):
        raise AlreadyExists(f"{target.parent.name}/{target.name} is already being created. Choose another name.")
    with storage_errors(target), staging.locked_partial(headers) as partial:
        folder = partial / request.repository.rpartition("/")[2]
        write_skeleton(hub, request.repository, plan, folder, on_wait=lambda *_: None)
        yield folder


def _open(folder: Path, delivery: Delivery) -> Source | None:
    """Return the source; None if the headers are not enough to describe it."""
    try:
        return open_source(folder, delivery)
    except NotArrived:
        return None


def _missing(plan: DownloadPlan) -> dict[str, int]:
    """Return the bytes still to be downloaded of each weight file."""
    return {
        file.name: file.size_bytes - plan.revision.downloaded_bytes(file) for file in plan.files if is_weights(file)
    }


def _convert(task: _Task, source: Source) -> Iterator[JobEvent]:
    request, delivery, target = task.request, task.delivery, Path(task.request.target)
    expected = preflight.check(source.path, target, request.recipe, source.outline)
    supply = supply_of(source, source.outline.parameters)
    at_once = preflight.files_at_once(
        target,
        task.plan.revision.repository_folder,
        expected.size_bytes,
        supply,
        _missing(task.plan),
        keeps=delivery.keeps,
    )
    yield conversion_events.planned(request.id, expected, source)
    delivery.start(_in_order(task, supply), at_once)
    steps = convert(
        source,
        target,
        request.recipe,
        repository=request.repository,
        commit=request.commit,
        delivery=delivery,
    )
    with closing(steps):
        yield from _report(task, steps)
    if not delivery.keeps:
        _clear(task)
    yield conversion_events.converted(request.id, target, expected, source)


def _in_order(task: _Task, supply: Supply) -> list[RemoteFile]:
    """Return the files to download in the order of use. Unused files come last, if they are kept at all."""
    needed = [task.weights[name] for name in supply.files]
    return [*needed, *(file for file in task.weights.values() if file not in needed and task.delivery.keeps)]


def _report(task: _Task, steps: Iterator[WriteProgress]) -> Iterator[JobEvent]:
    """Yield the events of download and conversion; both pause while the consumer does not ask for the next event."""
    delivery, waits = task.delivery, list[Waiting]()

    def steps_with_waits() -> Iterator[WriteProgress]:
        for step in steps:
            waits.extend(delivery.events())
            yield step

    is_complete = False
    events: list[JobEvent]
    for progress in conversion_events.progress(task.request.id, steps_with_waits()):
        events = [*waits, progress] if is_complete else [*waits, _source_progress(task), progress]
        waits.clear()
        if delivery.is_complete and not is_complete:
            is_complete = True
            events += _add_to_cache(task)
        for event in events:
            with delivery.pause():
                yield event
    while not delivery.is_complete:
        delivery.wait()
        events = [*delivery.events(), _source_progress(task)]
        for event in events:
            with delivery.pause():
                yield event
    if not is_complete:
        yield from _add_to_cache(task)


def _source_progress(task: _Task) -> SourceProgress:
    rate, total = task.delivery.rate, task.delivery.total_bytes
    return SourceProgress(
        id=task.request.id,
        done_bytes=rate.done_bytes,
        total_bytes=total,
        bytes_per_s=rate.bytes_per_s,
        remaining_s=rate.remaining_s(total),
    )


def _add_to_cache(task: _Task) -> list[JobEvent]:
    """Add the complete source to the Hugging Face cache, if it is kept."""
    if not task.delivery.keeps:
        return []
    revision = task.plan.revision
    with storage_errors(revision.folder):
        revision.link_files(task.plan.files, task.request.revision)
    return [SourceArrived(task.request.id, str(revision.folder), revision.commit)]


def _clear(task: _Task) -> None:
    """Remove the small files of a source that is not kept."""
    for file in task.plan.files:
        task.plan.revision.discard(file)
    task.plan.revision.discard_empty_folders()
