"""`facet convert` of a model on the Hub, during its download."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import msgspec

from mlx_engine.cli.conversion_task import ConversionTask, run_conversion, write_forecast
from mlx_engine.cli.job import JobSubprocess
from mlx_engine.cli.views import terminal
from mlx_engine.folders import Folders
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.quantize.plan import preflight
from mlx_engine.quantize.plan.messages import OutlineRead, ReadOutline


def forecast_remote(
    remote: ReadOutline, tasks: Sequence[ConversionTask], folders: Folders, *, context: int, json: bool
) -> None:
    """Write the forecasts of a model on the Hub; only the headers of its weights are downloaded."""
    with closing(JobSubprocess(folders, needs_network=True)) as process:
        outline = next(process.run(remote))
    assert isinstance(outline, OutlineRead)  # noqa: S101 - the only reply to this request
    source = describe_download(Path(outline.path), remote.repository, outline.commit)
    for task in tasks:
        expected = preflight.check(source.path, task.target, task.recipe, outline.outline)
        write_forecast(task, source, outline, expected, context=context, json=json)


def convert_remote(
    remote: ReadOutline, task: ConversionTask, folders: Folders, *, remove_source: bool, json: bool
) -> None:
    """Convert a model while it is downloaded; with `remove_source`, remove each downloaded file after its use."""
    if remove_source:
        terminal.note(
            "Each file of the original is removed after use. If you stop, removed files must be downloaded again.\n"
        )
    request = msgspec.structs.replace(
        task.request, repository=remote.repository, revision=remote.revision, remove_source=remove_source
    )
    try:
        with closing(JobSubprocess(folders, needs_network=True)) as process:
            run_conversion(request, process, json=json)
    except KeyboardInterrupt:
        terminal.note("Stopped. The unfinished conversion was discarded; downloaded files are kept for next time.\n")
        raise
    finally:
        task.discard_partial()


def describe_download(folder: Path, repository: str, commit: str) -> ModelDescription:
    """Describe the model that was downloaded to `folder`."""
    return replace(describe(folder, repository), source=repository, revision=commit)
