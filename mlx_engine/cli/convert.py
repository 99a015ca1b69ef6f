"""`facet convert`: converts a model to MLX weights with one or more recipes."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli import job, recipe_option
from mlx_engine.cli.conversion_task import ConversionTask, new_task, run_conversion, write_forecast
from mlx_engine.cli.convert_remote import convert_remote, describe_download, forecast_remote
from mlx_engine.cli.job import JobSubprocess
from mlx_engine.cli.model_lookup import AddedFolders, roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.download import text_view
from mlx_engine.cli.views.failure import UsageError
from mlx_engine.cli.views.job import JobJsonView, show_all
from mlx_engine.errors import ModelNotFound
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import Download, Downloaded
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.files import staging
from mlx_engine.models.library import library
from mlx_engine.quantize.plan import original, preflight
from mlx_engine.quantize.plan.messages import OutlineRead, ReadOutline


def convert(  # noqa: PLR0913 - the options of the verb
    model: str,
    /,
    *,
    recipe: Annotated[tuple[str, ...], Parameter(negative=())],
    out: Annotated[Path | None, Parameter(show_default=False)] = None,
    dry_run: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    remove_source: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    context: Annotated[int, Parameter(show_default=False)] = 0,
    folder: AddedFolders = (),
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """Convert a model to MLX weights. The original is not changed.

    Each conversion is a new folder, named after model and recipe, that appears when it is complete. Its path is
    written to standard output. Control-C discards the unfinished conversion.

    Args:
        model: Name, id or folder of a model, or a .gguf file. OWNER/NAME@REVISION converts from the Hugging Face Hub:
            during the download, or after it if there are several recipes.
        recipe: Name of a recipe (see `facet recipes`), a llama.cpp name such as Q4_K_M, or a .json file. Can be
            repeated.
        out: Create the folders here instead of in Facet's models folder.
        dry_run: Only show the exact result: size, bits per weight, memory, and weights that are not quantized.
        remove_source: Delete the original immediately when everything is done, without moving it to the Trash. With
            one recipe, each downloaded file is deleted after use, so the disk needs less free space.
        context: With --dry-run, estimate memory for a context of this many tokens.
        folder: Also look in this folder. Can be repeated.
        json: Write JSON, one object per line: plans, progress and results.
    """
    folders = Folders.from_environment()
    staging.sweep(folders.models)
    recipes = [recipe_option.find_recipe(name) for name in recipe]
    source = _find(model, folder)
    if isinstance(source, ReadOutline) and not dry_run and len(recipes) > 1:
        source = _download(source, folders, json=json)
    name = source.repository if isinstance(source, ReadOutline) else source.id
    tasks = [new_task(name, recipe, folders.models, out) for recipe in recipes]
    if len({task.target for task in tasks}) < len(tasks):
        raise UsageError("Two of the recipes have the same name. Rename one of them.")
    if not isinstance(source, ReadOutline):
        _convert_local(source, tasks, folders, dry_run=dry_run, remove_source=remove_source, context=context, json=json)
    elif dry_run:
        forecast_remote(source, tasks, folders, context=context, json=json)
    else:
        convert_remote(source, tasks[0], folders, remove_source=remove_source, json=json)


def _convert_local(  # noqa: PLR0913 - as above
    source: ModelDescription,
    tasks: Sequence[ConversionTask],
    folders: Folders,
    *,
    dry_run: bool,
    remove_source: bool,
    context: int,
    json: bool,
) -> None:
    for task in tasks:
        preflight.check_start(source.path, task.target)
    if remove_source:
        original.require_removable(source.path)
    try:
        with closing(JobSubprocess(folders, needs_network=False)) as process:
            outline = next(process.run(ReadOutline("outline", str(source.path))))
            assert isinstance(outline, OutlineRead)  # noqa: S101 - the only reply to this request
            forecasts = [preflight.check(source.path, task.target, task.recipe, outline.outline) for task in tasks]
            if dry_run:
                for task, forecast in zip(tasks, forecasts, strict=True):
                    write_forecast(task, source, outline, forecast, context=context, json=json)
                return
            for task in tasks:
                request = msgspec.structs.replace(
                    task.request, source=str(source.path), repository=source.source, commit=source.revision
                )
                run_conversion(request, process, json=json)
    except KeyboardInterrupt:
        terminal.note("Stopped. The unfinished conversion was discarded.\n")
        raise
    finally:
        for task in tasks:
            task.discard_partial()
    if remove_source and (remark := original.remove(source.path)):
        terminal.note(f"{remark}\n")


def _find(name: str, additional: AddedFolders) -> ModelDescription | ReadOutline:
    """Return the model with this name, or a request to the Hub if there is none and the name has a revision."""
    try:
        return library.find_model(roots(additional), name)
    except ModelNotFound:
        repository, _, revision = name.partition("@")
        if not revision or repository.count("/") != 1:
            raise
        return ReadOutline("outline", repository=repository, revision=revision)


def _download(remote: ReadOutline, folders: Folders, *, json: bool) -> ModelDescription:
    request = Download(id="download", repository=remote.repository, revision=remote.revision)
    end = show_all(job.run(request, folders), JobJsonView() if json else text_view(prints_folder=False))
    assert isinstance(end, Downloaded)  # noqa: S101 - the last event of a download that did not fail
    return describe_download(Path(end.path), remote.repository, end.commit)
