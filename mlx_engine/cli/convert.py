"""`facet convert`: makes MLX weights from a model, in one way or several."""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.cli import job, recipe_option, terminal
from mlx_engine.cli.conversion_view import ConversionView, JsonView, TextView
from mlx_engine.cli.download_view import size_in_words, text_view
from mlx_engine.cli.failure import UsageError
from mlx_engine.cli.job import Job
from mlx_engine.cli.json_lines import write_json
from mlx_engine.cli.memory_view import lines, reckon
from mlx_engine.cli.roots import AddedFolders, roots
from mlx_engine.errors import ModelNotFound
from mlx_engine.folders import Folders
from mlx_engine.job_protocol import Download, Downloaded
from mlx_engine.models import library, staging
from mlx_engine.models.describe import describe
from mlx_engine.models.description import ModelDescription
from mlx_engine.models.machine import this_machine
from mlx_engine.quantize import original, preflight
from mlx_engine.quantize.forecast import Forecast
from mlx_engine.quantize.kept import kept_in_words
from mlx_engine.quantize.messages import Convert, OutlineRead, ReadOutline
from mlx_engine.quantize.recipe import Recipe


@dataclass(frozen=True, slots=True)
class _Task:
    """One conversion: how, and where to."""

    recipe: Recipe
    target: Path


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
            which is downloaded first.
        recipe: The name of a recipe (`facet recipes` lists them), one of llama.cpp's, or a .json file. Can be given
            several times.
        out: Make the folders in this one, instead of among Facet's models.
        dry_run: Only say exactly what would come of it: size, bits per weight, memory, what is kept and why.
        remove_source: Remove the original from the disk when all is done, past the trash.
        context: With --dry-run, reckon memory for so many tokens.
        folder: Look into this folder as well.
        json: Write one JSON object a line: the plans, the progress, the ends.
    """
    folders = Folders.from_environment()
    staging.sweep(folders.models)
    recipes = [recipe_option.named(name) for name in recipe]
    source = _source(model, folder, folders, json=json)
    tasks = [_task(source, one, folders.models, out) for one in recipes]
    if len({task.target for task in tasks}) < len(tasks):
        raise UsageError("Two of the recipes have the same name: give one of them another.")
    for task in tasks:
        preflight.look(source.path, task.target)
    if remove_source:
        original.require_removable(source.path)
    try:
        with closing(Job(folders, needs_network=False)) as process:
            read = next(process.run(ReadOutline("outline", str(source.path))))
            assert isinstance(read, OutlineRead)  # noqa: S101 - the one event that answers the question
            forecasts = [preflight.check(source.path, task.target, task.recipe, read.outline) for task in tasks]
            if dry_run:
                for task, expected in zip(tasks, forecasts, strict=True):
                    _tell_forecast(task, source, read, expected, context=context, json=json)
                return
            for task in tasks:
                _run(task, source, process, JsonView() if json else TextView())
    except KeyboardInterrupt:
        terminal.note("Stopped. Nothing is left of what was being made.\n")
        raise
    finally:
        for task in tasks:
            staging.discard_partial(task.target)
    if remove_source and (stays := original.remove(source.path)):
        terminal.note(f"{stays}\n")


def _source(name: str, further: AddedFolders, folders: Folders, *, json: bool) -> ModelDescription:
    """Return the model of that name; if there is none and the name has a revision, it is downloaded."""
    try:
        return library.find_among(roots(further), name)
    except ModelNotFound:
        repository, _, revision = name.partition("@")
        if not revision or repository.count("/") != 1:
            raise
    return _download(Download(id="download", repository=repository, revision=revision), folders, json=json)


def _download(request: Download, folders: Folders, *, json: bool) -> ModelDescription:
    view = JsonView() if json else text_view(tells_folder=False)
    try:
        for event in job.run(request, folders):
            view.show(event)
    finally:
        view.end()
    assert isinstance(event, Downloaded)  # noqa: S101 - the last event of a download that did not fail
    found = describe(Path(event.path), request.repository)
    return replace(found, source=request.repository, revision=event.commit)


def _task(source: ModelDescription, recipe: Recipe, models: Path, out: Path | None) -> _Task:
    """Name the result after model and recipe, below its maker's name or in the folder `out`."""
    owner, _, name = source.id.partition("@")[0].rpartition("/")
    return _Task(recipe, (out.absolute() if out else models / (owner or "converted")) / f"{name}-{recipe.name}")


def _run(task: _Task, source: ModelDescription, process: Job, view: ConversionView) -> None:
    request = Convert(
        id=task.recipe.name,
        source=str(source.path),
        target=str(task.target),
        model_id=f"{task.target.parent.name}/{task.target.name}",
        recipe=task.recipe,
        repository=source.source,
        commit=source.revision,
    )
    try:
        for event in process.run(request):
            view.show(event)
    finally:
        view.end()


def _tell_forecast(
    task: _Task, source: ModelDescription, read: OutlineRead, expected: Forecast, *, context: int, json: bool
) -> None:
    result = expected.describe(source)
    fit = reckon(result, this_machine(), context=context, cache_bits=16)
    if json:
        write_json(
            {
                "recipe": task.recipe.name,
                "path": task.target,
                "size_bytes": expected.size_bytes,
                "files": expected.files,
                "bits_per_weight": expected.bits_per_weight,
                "fit": msgspec.to_builtins(fit),
                "kept": dict(expected.kept),
                "dropped": expected.dropped,
                "notes": read.notes,
                "layers": expected.bits,
            }
        )
        return
    terminal.write(f"{task.recipe.name}: {task.target}\n")
    files = "one file" if expected.files == 1 else f"{expected.files} files"
    size = size_in_words(expected.size_bytes)
    terminal.write(f"{'size':14}{size:>10}  {expected.size_bytes:,} bytes in {files}\n")
    terminal.write(f"{'bits/weight':14}{expected.bits_per_weight:>10.3f}  {expected.quantization}\n")
    terminal.write(lines(result, fit, 16))
    told = [*read.notes, *(f"{one.prefix} is left out: {one.reason}." for one in expected.dropped)]
    told += (f"Kept: {line}." for line in kept_in_words(expected.kept))
    terminal.write("".join(f"{line}\n" for line in told))
