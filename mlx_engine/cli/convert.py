"""`facet convert`: makes MLX weights from a model, in one way or several."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli import conversion_task, job, recipe_option
from mlx_engine.cli.conversion_task import Task
from mlx_engine.cli.convert_remote import convert_remote, described, tell_remote
from mlx_engine.cli.job import Job
from mlx_engine.cli.roots import AddedFolders, roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.download import text_view
from mlx_engine.cli.views.failure import UsageError
from mlx_engine.cli.views.job import JsonView, show_all
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
    """Convert a model to MLX weights. The original stays as it is.

    Each result is a folder of its own, named after model and recipe; it appears when it is whole. The folders are
    written to standard output. Control-C leaves nothing behind of the one that is being made.

    Args:
        model: A model by name or id, a model folder, or a .gguf file; or OWNER/NAME@REVISION on the Hugging Face Hub,
            which is converted while it is downloaded, or afterwards if there are several recipes.
        recipe: The name of a recipe (`facet recipes` lists them), one of llama.cpp's, or a .json file. Can be given
            several times.
        out: Make the folders in this one, instead of among Facet's models.
        dry_run: Only say exactly what would come of it: size, bits per weight, memory, what is kept and why.
        remove_source: Remove the original from the disk when all is done, past the trash. With one recipe, what is
            downloaded goes file by file as it is used, so that the disk need not have room for all of it.
        context: With --dry-run, reckon memory for so many tokens.
        folder: Look into this folder as well.
        json: Write one JSON object a line: the plans, the progress, the ends.
    """
    folders = Folders.from_environment()
    staging.sweep(folders.models)
    recipes = [recipe_option.named(name) for name in recipe]
    source = _find(model, folder)
    if isinstance(source, ReadOutline) and not dry_run and len(recipes) > 1:
        source = _download(source, folders, json=json)
    name = source.repository if isinstance(source, ReadOutline) else source.id
    tasks = [conversion_task.task(name, one, folders.models, out) for one in recipes]
    if len({task.target for task in tasks}) < len(tasks):
        raise UsageError("Two of the recipes have the same name: give one of them another.")
    if not isinstance(source, ReadOutline):
        _convert_local(source, tasks, folders, dry_run=dry_run, removes=remove_source, context=context, json=json)
    elif dry_run:
        tell_remote(source, tasks, folders, context=context, json=json)
    else:
        convert_remote(source, tasks[0], folders, removes=remove_source, json=json)


def _convert_local(  # noqa: PLR0913 - as above
    source: ModelDescription,
    tasks: Sequence[Task],
    folders: Folders,
    *,
    dry_run: bool,
    removes: bool,
    context: int,
    json: bool,
) -> None:
    for task in tasks:
        preflight.check_start(source.path, task.target)
    if removes:
        original.require_removable(source.path)
    try:
        with closing(Job(folders, needs_network=False)) as process:
            read = next(process.run(ReadOutline("outline", str(source.path))))
            assert isinstance(read, OutlineRead)  # noqa: S101 - the one event that answers the question
            forecasts = [preflight.check(source.path, task.target, task.recipe, read.outline) for task in tasks]
            if dry_run:
                for task, expected in zip(tasks, forecasts, strict=True):
                    conversion_task.tell_forecast(task, source, read, expected, context=context, json=json)
                return
            for task in tasks:
                request = msgspec.structs.replace(
                    task.request, source=str(source.path), repository=source.source, commit=source.revision
                )
                conversion_task.run(request, process, json=json)
    except KeyboardInterrupt:
        terminal.note("Stopped. Nothing is left of what was being made.\n")
        raise
    finally:
        for task in tasks:
            task.discard_partial()
    if removes and (stays := original.remove(source.path)):
        terminal.note(f"{stays}\n")


def _find(name: str, further: AddedFolders) -> ModelDescription | ReadOutline:
    """Return the model of that name; if there is none and the name has a revision, what asks the Hub about it."""
    try:
        return library.find_model(roots(further), name)
    except ModelNotFound:
        repository, _, revision = name.partition("@")
        if not revision or repository.count("/") != 1:
            raise
        return ReadOutline("outline", repository=repository, revision=revision)


def _download(remote: ReadOutline, folders: Folders, *, json: bool) -> ModelDescription:
    request = Download(id="download", repository=remote.repository, revision=remote.revision)
    end = show_all(job.run(request, folders), JsonView() if json else text_view(tells_folder=False))
    assert isinstance(end, Downloaded)  # noqa: S101 - the last event of a download that did not fail
    return described(Path(end.path), remote.repository, end.commit)
