"""`facet convert` of what is on the Hub: it is converted while it is downloaded."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec

from mlx_engine.cli import conversion_task
from mlx_engine.cli.conversion_task import Task
from mlx_engine.cli.job import Job
from mlx_engine.cli.views import terminal
from mlx_engine.folders import Folders
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.quantize.plan import preflight
from mlx_engine.quantize.plan.forecast import forecast
from mlx_engine.quantize.plan.messages import OutlineRead, ReadOutline


def tell_remote(remote: ReadOutline, tasks: Sequence[Task], folders: Folders, *, context: int, json: bool) -> None:
    """Say what would come of a model of which only the headers are read."""
    with closing(Job(folders, needs_network=True)) as process:
        read = next(process.run(remote))
    assert isinstance(read, OutlineRead)  # noqa: S101 - the one event that answers the question
    source = described(Path(read.path), remote.repository, read.commit)
    for task in tasks:
        preflight.check_target(source.path, task.target)
        expected = forecast(read.outline, task.recipe)
        conversion_task.tell_forecast(task, source, read, expected, context=context, json=json)


def convert_remote(remote: ReadOutline, task: Task, folders: Folders, *, removes: bool, json: bool) -> None:
    """Convert it; what comes is removed when it was used, if so `removes`."""
    if removes:
        terminal.note(
            "Each file of the original goes when it was used; an interruption costs a new download of those.\n"
        )
    request = msgspec.structs.replace(
        task.request, repository=remote.repository, revision=remote.revision, remove_source=removes
    )
    try:
        with closing(Job(folders, needs_network=True)) as process:
            conversion_task.run(request, process, json=json)
    except KeyboardInterrupt:
        terminal.note("Stopped. Nothing is left of what was being made; what was downloaded waits for another try.\n")
        raise
    finally:
        task.discard_partial()


def described(path: Path, repository: str, commit: str) -> ModelDescription:
    """Return what the repository is, of which `path` is the folder."""
    return replace(describe(path, repository), source=repository, revision=commit)
