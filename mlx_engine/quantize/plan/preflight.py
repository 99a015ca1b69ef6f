"""Checks before a conversion: model, recipe, target, disk and memory, without MLX.

Only names, headers and free space are read, so that a check takes a fraction of a second for a model of any size.
"""

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from mlx_engine.amounts import format_disk, format_memory
from mlx_engine.errors import AlreadyExists, InvalidRecipe, NoSpace, OutOfMemory, StorageError, UnsupportedModel
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
"""Files downloaded at a time: more are faster, fewer need less space."""
DISK_RESERVE_BYTES = 500_000_000
"""Disk space that a conversion leaves free."""
WORK_BYTES = 400 * 2**20
"""Memory that a conversion needs. Measured peak: 139 to 159 MB for 4bit, mxfp4 and bf16 (Linux, CPU)."""


def check_start(source: Path, target: Path) -> ModelDescription:
    """Return the model at `source` if a conversion to the new folder `target` can start.

    Raises:
        ModelError: the source is missing, damaged, or of a kind that mlx-lm does not run.
        OutOfMemory: there is not enough free memory for the work.
        StorageError: the target already exists, is being written, or cannot be created.
    """
    check_target(source, target)
    model = check_source(source)
    _require_memory()
    return model


def check(source: Path, target: Path, recipe: Recipe, outline: Outline) -> ConversionForecast:
    """Return the exact forecast for the conversion of the model at `source` by `recipe`.

    Raises:
        InvalidRecipe: the recipe names something that the model does not have, or applies to none of its matrices.
        NoSpace: the disk of the target does not have enough space.
        FacetError: as `check_start` does.
    """
    model = check_start(source, target)
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
    """Return the number of files of the source to download at a time, so that they and the result fit on the disk.

    `size_bytes` is the size of the result, `missing` the bytes still to download to the folder `cache`, by file. Unless
    it `keeps` the files, each is removed after use.

    Raises:
        NoSpace: there is not enough space even for one file at a time.
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
        f"Not enough disk space: the original needs {format_disk(needed)}{'' if keeps else ' at a time'}{result}, and "
        f"{format_disk(DISK_RESERVE_BYTES)} are kept free, but only {format_disk(free_bytes(cache))} are available. "
        f"Free up some space{', or remove the files of the original after use.' if keeps else ' and try again.'}"
    )


def _is_same_disk(first: Path, second: Path) -> bool:
    existing = (next(part for part in (path, *path.parents) if part.exists()) for path in (first, second))
    return len({path.stat().st_dev for path in existing}) == 1


def check_source(source: Path) -> ModelDescription:
    """Return the model in the source.

    Raises:
        ModelError: the source is missing, damaged, or of a kind that mlx-lm does not run.
        StorageError: the source cannot be read.
    """
    model = describe(source, f"{source.parent.name}/{source.name}")
    if model.obstacle and not model.can_be_converted:
        raise UnsupportedModel(model.obstacle)
    return model


def check_target(source: Path, target: Path) -> None:
    """Check that a folder can be created at `target`.

    Raises:
        AlreadyExists: the folder already exists, or is being written.
        StorageError: it cannot be created.
    """
    if target.exists():
        raise AlreadyExists(
            f"{target.parent.name}/{target.name} already exists. Delete it or choose another name, for example "
            f"{free_name(target)}."
        )
    if staging.is_worked_on(target):
        raise AlreadyExists(f"{target.parent.name}/{target.name} is already being created. Choose another name.")
    if source.resolve() in (target.resolve(), *target.resolve().parents):
        raise StorageError("The result cannot be inside the folder of the original. Choose another folder.")
    parent = next(folder for folder in target.parents if folder.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise StorageError(f"Facet does not have permission to write to {parent}. Allow it, or choose another folder.")


def headers_folder(target: Path) -> Path:
    """Return the folder whose partial version holds the headers of a source that is downloaded for `target`."""
    return target.with_name(f"{target.name}.source")


def free_name(target: Path) -> str:
    """Return a name that is not in use, similar to the target's: "model-4bit-2"."""
    names = (f"{target.name}-{number}" for number in itertools.count(2))
    return next(name for name in names if not target.with_name(name).exists())


def _require_some(placements: Sequence[ParameterPlacement], recipe: Recipe) -> None:
    """Check that a recipe that quantizes applies to at least one matrix."""
    if recipe.default == "keep" or any(placement.format for placement in placements):
        return
    matrices = [placement for placement in placements if placement.parameter.can_be_quantized]
    example = f" For example, {matrices[0].parameter.path} is kept: {matrices[0].reason}." if matrices else ""
    raise InvalidRecipe(f"{recipe.title} does not quantize any matrix of this model.{example} Choose another recipe.")


def companions_bytes(model: ModelDescription) -> int:
    """Return the size of the files that are copied along with the weights, mostly the tokenizer."""
    if not model.path.is_dir():
        return 0
    return sum(file.stat().st_size for file in model.path.iterdir() if file.is_file() and file.suffix != ".safetensors")


def disk_problem(target: Path, needed_bytes: int, *, way_out: str = "Free up some space or choose fewer bits.") -> str:
    """Return a message, ending in `way_out`, if the disk of `target` lacks `needed_bytes`; else ""."""
    free = free_bytes(target)
    if needed_bytes + DISK_RESERVE_BYTES <= free:
        return ""
    return (
        f"Not enough disk space: this needs {format_disk(needed_bytes)}, and {format_disk(DISK_RESERVE_BYTES)} are "
        f"kept free, but only {format_disk(free)} are available. {way_out}"
    )


def _require_memory() -> None:
    available = psutil.virtual_memory().available
    if available < WORK_BYTES:
        raise OutOfMemory(
            f"A conversion needs {format_memory(WORK_BYTES)} of memory, but only {format_memory(available)} are free. "
            "Close other apps and try again."
        )
