"""Converts a model: reads, quantizes and writes each parameter some rows at a time, in little memory.

The result is byte for byte that of `mlx_lm.convert` for the same recipe. All offsets are known in advance, so threads
work on pieces independently, and peak memory does not grow with the model.

    source ── rows ──► pieces, quantizing ── bytes ──► writer
"""

import json
import shutil
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import msgspec
from mlx_lm.utils import _encode_tagged_floats

from mlx_engine.amounts import format_disk
from mlx_engine.errors import AlreadyExists, NoSpace
from mlx_engine.models.description import provenance
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.provenance import Provenance
from mlx_engine.models.files import staging
from mlx_engine.quantize.mlx.pieces import convert_pieces, executor, pieces
from mlx_engine.quantize.mlx.source import Source, supply_of
from mlx_engine.quantize.plan.config import quantized_config
from mlx_engine.quantize.plan.delivery import FileDelivery, LocalFiles
from mlx_engine.quantize.plan.digests import Digests, KnownDigests
from mlx_engine.quantize.plan.forecast import ConversionForecast, forecast_of
from mlx_engine.quantize.plan.layout import ParameterPlacement, layout
from mlx_engine.quantize.plan.writer import Writer
from mlx_engine.quantize.recipes.recipe import Recipe
from mlx_engine.quantize.recipes.unchanged import EXPECTED_REASONS, unquantized_lines

_tag_floats: Any = _encode_tagged_floats  # has no types

_pool_bytes = 2**26
_reserve_bytes = 2**28


@dataclass(frozen=True, slots=True)
class WriteProgress:
    """Progress in bytes of the result's weights; `tensor` is the latest parameter."""

    done_bytes: int
    total_bytes: int
    tensor: str


def convert(
    source: Source,
    target: Path,
    recipe: Recipe,
    *,
    repository: str = "",
    commit: str = "",
    delivery: FileDelivery | None = None,
) -> Generator[WriteProgress, None, None]:
    """Convert `source` to the folder `target` by `recipe`; closing the iterator cancels and leaves nothing behind.

    `repository` and `commit` are the origin of the source; without them the source's own `facet.json` is used. A
    `delivery` delivers the source's files during the conversion: parameters whose files are available come first, and
    the last step is repeated while there are none.

    Raises:
        InvalidRecipe: the recipe names something that the model does not have, or a type too narrow for its weights.
        BrokenModel: a weight is not a number.
        NoSpace: the disk does not have enough space for the result.
        AlreadyExists: `target` already exists.
        StorageError: files cannot be read or written.
        EngineError: MLX failed.
    """
    placements = layout(source.outline, recipe)
    expected = forecast_of(placements, source.outline, recipe)
    origin = Provenance(source=repository, revision=commit) if repository else provenance.read(source.path)
    note = _provenance(source, recipe, expected, origin)
    mx.set_cache_limit(_pool_bytes)
    with staging.storage_errors(target):
        _require_unused(target)
        with staging.locked_partial(target) as partial, _digests(source, delivery) as digests:
            _require_unused(target)
            _require_room(partial, target, expected.size_bytes)
            source.write_companions(partial)
            _write_config(partial, quantized_config(source.config, placements, recipe))
            yield from _write_weights(
                source,
                placements,
                partial,
                expected.parameters,
                delivery or LocalFiles(file.name for file in source.files),
            )
            provenance.write(partial, msgspec.structs.replace(note, files_sha256=digests.result()))
            staging.put_in_place(partial, target)


def _digests(source: Source, delivery: FileDelivery | None) -> AbstractContextManager[Digests | KnownDigests]:
    return Digests(source.files) if delivery is None else KnownDigests(delivery.digests)


def _require_unused(target: Path) -> None:
    if target.exists():
        raise AlreadyExists(f"{target.parent.name}/{target.name} already exists. Choose another name.")


def _require_room(partial: Path, target: Path, size_bytes: int) -> None:
    free = shutil.disk_usage(partial).free
    if free < size_bytes + _reserve_bytes:
        raise NoSpace(
            f"Not enough disk space for {target.name}: it needs {format_disk(size_bytes)}, but only "
            f"{format_disk(free)} are available. Free up some space and try again."
        )


def _write_config(folder: Path, config: Mapping[str, Any]) -> None:
    (folder / "config.json").write_text(json.dumps(_tag_floats(config), indent=4) + "\n")


def _provenance(source: Source, recipe: Recipe, expected: ConversionForecast, origin: Provenance) -> Provenance:
    return Provenance(
        source=origin.source or source.path.name,
        revision=origin.revision,
        license=describe(source.path, source.path.name).license,
        recipe=f"Converted by the recipe {recipe.title} ({recipe.name}).",
        settings=msgspec.to_builtins(recipe),
        bits_per_weight=expected.bits_per_weight,
        notes=(*source.notes, *(f"{tensors.prefix} is dropped: {tensors.reason}." for tensors in expected.dropped)),
        unquantized=tuple(
            unquantized_lines(entry for entry in expected.unquantized if entry[1] not in EXPECTED_REASONS)
        ),
        created=provenance.now(),
        tools=provenance.versions("facet", "mlx", "mlx-lm"),
    )


def _write_weights(
    source: Source, placements: Sequence[ParameterPlacement], folder: Path, parameters: int, delivery: FileDelivery
) -> Iterator[WriteProgress]:
    writer = Writer(folder, (array for placement in placements for array in placement.arrays.items()))
    workers = executor()
    supply = supply_of(source, [placement.parameter for placement in placements if placement.size_bytes])
    missing = Counter({placement.parameter.name: placement.size_bytes for placement in placements})
    try:
        queue = pieces(source, placements, supply, delivery)
        done_bytes, name = 0, ""
        for placement, written_bytes in convert_pieces(workers, queue, writer):
            if placement is None:
                delivery.wait()
            else:
                name = placement.parameter.name
                done_bytes += written_bytes
                missing[name] -= written_bytes
                if not missing[name]:
                    _release(source, supply.finish(name), supply.front, writer, delivery)
            yield WriteProgress(done_bytes, writer.data_bytes, name)
        writer.finish(parameters)
    finally:
        workers.shutdown(cancel_futures=True)
        writer.close()


def _release(source: Source, files: Sequence[str], front: int, writer: Writer, delivery: FileDelivery) -> None:
    """Release files that are completely converted; the result must be on the disk before they are removed."""
    if files and not delivery.keeps:
        writer.sync()
        source.forget(files)
    delivery.release(files, front)
