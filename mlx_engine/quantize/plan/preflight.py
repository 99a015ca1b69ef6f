"""Whether a conversion can be done, said before anything runs: model, recipe, target, disk, memory. It takes no MLX.

It looks at names, headers and free space, so that it takes a fraction of a second however large the model is.
"""

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from mlx_engine.amounts import format_disk, format_memory
from mlx_engine.errors import InvalidRecipe, NoSpace, OutOfMemory, StorageError, UnsupportedModel
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.files import staging
from mlx_engine.models.hub.cache import free_bytes
from mlx_engine.quantize.plan.forecast import ConversionForecast, forecast_of
from mlx_engine.quantize.plan.layout import ParameterPlacement, layout
from mlx_engine.quantize.plan.outline import Outline
from mlx_engine.quantize.plan.supply import Supply
from mlx_engine.quantize.recipes.recipe import Recipe

_FILES_AT_ONCE = (4, 2, 1)
"""Of a download: more are faster, fewer take less room."""
DISK_RESERVE_BYTES = 500_000_000
"""What a conversion leaves free on the disk."""
WORK_BYTES = 400 * 2**20
"""What must be free for the work. Measured: 139 to 159 MB at the peak, be it 4-bit, mxfp4 or bf16 (Linux, the CPU)."""


def look(source: Path, target: Path) -> ModelDescription:
    """Say what the model at `source` is, and whether it can be converted into the new folder `target` at all.

    Raises:
        ModelError: the source is missing, damaged, or of a kind that mlx-lm does not run.
        OutOfMemory: there is not enough free memory for the work.
        StorageError: the target is there already, is being made, or may not be made.
    """
    check_target(source, target)
    model = check_source(source)
    _require_memory()
    return model


def check(source: Path, target: Path, recipe: Recipe, outline: Outline) -> ConversionForecast:
    """Say exactly what `recipe` will make of the model at `source`, if it can.

    Raises:
        InvalidRecipe: it names what the model does not have, or fits none of its matrices.
        NoSpace: the disk of the target has no room.
        FacetError: as `look` does.
    """
    model = look(source, target)
    placements = layout(outline, recipe)
    _require_some(placements, recipe)
    expected = forecast_of(placements, outline, recipe)
    with staging.storage_errors(target):
        problem = disk_problem(target, expected.size_bytes + companions_bytes(model))
    if problem:
        raise NoSpace(problem)
    return expected


def files_at_once(
    target: Path, cache: Path, size_bytes: int, supply: Supply, missing: Mapping[str, int], *, keeps: bool
) -> int:
    """Return how many files of the source may come at a time, so that the disk has room for them and for the result.

    `size_bytes` is the result's size, `missing` what is to come of each file into the folder `cache`. Unless it `keeps`
    them, each is removed when it was used.

    Raises:
        NoSpace: there is not even room for one at a time.
    """
    both = _is_same_disk(target, cache)
    with staging.storage_errors(cache):
        free = free_bytes(cache) - (size_bytes if both else 0) - DISK_RESERVE_BYTES
    for count in _FILES_AT_ONCE:
        needed = sum(missing.values()) if keeps else supply.peak_bytes(missing, at_once=count)
        if needed <= free:
            return count
    result = f", {format_disk(size_bytes)} for the result" if both else ""
    raise NoSpace(
        f"The original needs {format_disk(needed)} on the disk{'' if keeps else ' at a time'}{result}, and "
        f"{format_disk(DISK_RESERVE_BYTES)} should stay free; the disk has {format_disk(free_bytes(cache))}. Make "
        f"room{', or let the files of the original be removed as they are used.' if keeps else ' and try again.'}"
    )


def _is_same_disk(one: Path, other: Path) -> bool:
    first, second = (next(part for part in (path, *path.parents) if part.exists()) for path in (one, other))
    return first.stat().st_dev == second.stat().st_dev


def check_source(source: Path) -> ModelDescription:
    """Return what the model is.

    Raises:
        ModelError: it is missing, damaged, or of a kind that mlx-lm does not run.
        StorageError: it cannot be read.
    """
    model = describe(source, f"{source.parent.name}/{source.name}")
    if model.obstacle and not model.can_be_converted:
        raise UnsupportedModel(model.obstacle)
    return model


def check_target(source: Path, target: Path) -> None:
    """See that a folder can be made at `target`.

    Raises:
        StorageError: it is there already, is being made, or may not be made.
    """
    if target.exists():
        raise StorageError(
            f"There is a model called {target.parent.name}/{target.name} already. Remove it, or choose another name, "
            f"for example {free_name(target)}."
        )
    if staging.is_worked_on(target):
        raise StorageError(f"{target.parent.name}/{target.name} is being made already. Choose another name.")
    if source.resolve() in (target.resolve(), *target.resolve().parents):
        raise StorageError("The result cannot lie in the folder that it is made from. Choose another one.")
    parent = next(folder for folder in target.parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise StorageError(f"Facet may not write in {parent}. Allow it there, or choose another folder.")


def headers_beside(target: Path) -> Path:
    """Return the folder whose partial one holds the headers of a source that comes while `target` is made of it."""
    return target.with_name(f"{target.name}.source")


def free_name(target: Path) -> str:
    """Return a name like the target's that nothing has yet: "model-4bit-2"."""
    names = (f"{target.name}-{number}" for number in itertools.count(2))
    return next(name for name in names if not target.with_name(name).exists())


def _require_some(placements: Sequence[ParameterPlacement], recipe: Recipe) -> None:
    """See that a recipe that quantizes has something to quantize."""
    if recipe.default == "keep" or any(placement.format for placement in placements):
        return
    matrices = [placement for placement in placements if placement.parameter.can_be_quantized]
    why = f": {matrices[0].parameter.path}, for one, is kept, since {matrices[0].reason}" if matrices else ""
    raise InvalidRecipe(f"{recipe.name} would quantize nothing of this model{why}. Choose another recipe.")


def companions_bytes(model: ModelDescription) -> int:
    """Return the size of what is copied beside the weights as it is: the tokenizer, mostly."""
    if not model.path.is_dir():
        return 0
    return sum(file.stat().st_size for file in model.path.iterdir() if file.is_file() and file.suffix != ".safetensors")


def disk_problem(target: Path, needed_bytes: int, *, way_out: str = "Make room, or choose fewer bits.") -> str:
    """Return why the disk of `target` has no room for so much, in sentences that end with a `way_out`; "" if it has."""
    free = free_bytes(target)
    if needed_bytes + DISK_RESERVE_BYTES <= free:
        return ""
    return (
        f"{format_disk(needed_bytes)} are needed, and {format_disk(DISK_RESERVE_BYTES)} should stay free; the disk "
        f"has {format_disk(free)}. {way_out}"
    )


def _require_memory() -> None:
    available = psutil.virtual_memory().available
    if available < WORK_BYTES:
        raise OutOfMemory(
            f"A conversion takes {format_memory(WORK_BYTES)} of memory; {format_memory(available)} are free. Close "
            "other programs and try again."
        )
