"""Whether a conversion can be done, said before anything runs: model, recipe, target, disk, memory. It takes no MLX.

It looks at names, headers and free space, so that it takes a fraction of a second however large the model is.
"""

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import psutil

from mlx_engine.errors import InvalidRecipe, NoSpace, OutOfMemory, StorageError, UnsupportedModel
from mlx_engine.models import staging
from mlx_engine.models.describe import describe
from mlx_engine.models.description import ModelDescription
from mlx_engine.models.hub.cache import free_bytes
from mlx_engine.models.memory import size_in_words
from mlx_engine.quantize.forecast import Forecast, forecast_of
from mlx_engine.quantize.layout import Placement, layout
from mlx_engine.quantize.outline import Outline
from mlx_engine.quantize.recipe import Recipe

DISK_RESERVE_BYTES = 500_000_000
"""What a conversion leaves free on the disk."""
WORK_BYTES = 400_000_000
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


def check(source: Path, target: Path, recipe: Recipe, outline: Outline) -> Forecast:
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
    _require_disk(target, expected.size_bytes + _companions_bytes(model))
    return expected


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


def free_name(target: Path) -> str:
    """Return a name like the target's that nothing has yet: "model-4bit-2"."""
    names = (f"{target.name}-{number}" for number in itertools.count(2))
    return next(name for name in names if not target.with_name(name).exists())


def _require_some(placements: Sequence[Placement], recipe: Recipe) -> None:
    """See that a recipe that quantizes has something to quantize."""
    if recipe.default == "keep" or any(placement.format for placement in placements):
        return
    matrices = [placement for placement in placements if placement.parameter.can_be_quantized]
    why = f": {matrices[0].parameter.path}, for one, is kept, since {matrices[0].reason}" if matrices else ""
    raise InvalidRecipe(f"{recipe.name} would quantize nothing of this model{why}. Choose another recipe.")


def _companions_bytes(model: ModelDescription) -> int:
    """Return the size of what is copied as it is: the tokenizer, mostly."""
    if not model.path.is_dir():
        return 0
    return sum(file.stat().st_size for file in model.path.iterdir() if file.is_file() and file.suffix != ".safetensors")


def _require_disk(target: Path, needed_bytes: int) -> None:
    with staging.storage_errors(target):
        free = free_bytes(target)
    if needed_bytes + DISK_RESERVE_BYTES > free:
        raise NoSpace(
            f"{target.name} takes {size_in_words(needed_bytes)}, and {size_in_words(DISK_RESERVE_BYTES)} should stay "
            f"free; the disk has {size_in_words(free)}. Make room, or choose a recipe with fewer bits."
        )


def _require_memory() -> None:
    available = psutil.virtual_memory().available
    if available < WORK_BYTES:
        raise OutOfMemory(
            f"A conversion takes {size_in_words(WORK_BYTES)} of memory; {size_in_words(available)} are free. Close "
            "other programs and try again."
        )
