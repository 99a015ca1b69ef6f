"""Converts a model: each parameter read, quantized and written some rows at a time, in little memory.

The bytes are those that `mlx_lm.convert` writes for the same recipe. Where they belong is known before anything is
read, so threads work on rows independently of each other, and the peak of memory does not grow with the model.

    source ── rows ──► quantizing ── bytes ──► writer
"""

import json
import shutil
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar

import mlx.core as mx
import msgspec
from mlx_lm.utils import _encode_tagged_floats

from mlx_engine.errors import EngineError, NoSpace, StorageError
from mlx_engine.models import provenance, staging
from mlx_engine.models.describe import describe
from mlx_engine.models.provenance import Provenance
from mlx_engine.quantize.config import quantized_config
from mlx_engine.quantize.digests import Digests, KnownDigests
from mlx_engine.quantize.forecast import Forecast, forecast_of
from mlx_engine.quantize.kept import USUAL_REASONS, kept_in_words
from mlx_engine.quantize.layout import Placement, layout
from mlx_engine.quantize.quantizing import convert_rows, copy_rows
from mlx_engine.quantize.recipe import Recipe
from mlx_engine.quantize.source import Rows, Source, supply_of
from mlx_engine.quantize.supply import Supply
from mlx_engine.quantize.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")

_tag_floats: Any = _encode_tagged_floats  # has no types

_piece_bytes = 2**21
_small_piece_bytes = 2**20
"""For formats with a floating point: the CPU needs 20 times a piece's size to quantize it to one of them."""
_pieces_at_once = 4
_pool_bytes = 2**26
_reserve_bytes = 2**28


@dataclass(frozen=True, slots=True)
class Progress:
    """So much of the result's weights has been written; `tensor` is the parameter that came last."""

    done_bytes: int
    total_bytes: int
    tensor: str


class Delivery(Protocol):
    """Brings the source's files while it is converted."""

    @property
    def keeps(self) -> bool:
        """Whether files stay when they were used."""

    @property
    def here(self) -> frozenset[str]:
        """The names of those that have come."""

    @property
    def digests(self) -> Mapping[str, str]:
        """The SHA-256 of those that come, by name."""

    def wait(self) -> None:
        """Wait a moment for the next."""

    def release(self, names: Sequence[str], front: int) -> None:
        """Take note that these are needed no more, and that the first `front` of all hold nothing up."""


def convert(
    source: Source,
    target: Path,
    recipe: Recipe,
    *,
    repository: str = "",
    commit: str = "",
    delivery: Delivery | None = None,
) -> Generator[Progress, None, None]:
    """Write `source` as the folder `target`, after `recipe`; closing the iterator gives up and leaves nothing behind.

    `repository` and `commit` say where the source came from; without them `facet.json` repeats what it says itself.
    A `delivery` brings the source's files meanwhile: what can be written with those that are here comes first, and the
    same step is given again every moment while there is nothing.

    Raises:
        InvalidRecipe: the recipe names what the model does not have, or a type too narrow for its weights.
        BrokenModel: a weight is not a number.
        NoSpace: the disk has no room for the result.
        StorageError: something is at `target` already, or files cannot be read or written.
        EngineError: MLX failed.
    """
    placements = layout(source.outline, recipe)
    expected = forecast_of(placements, source.outline, recipe)
    origin = Provenance(source=repository, revision=commit) if repository else provenance.read(source.path)
    note = _provenance(source, recipe, expected, origin)
    mx.set_cache_limit(_pool_bytes)
    with staging.storage_errors(target):
        _require_free(target)
        with staging.locked_partial(target) as partial, _digests(source, delivery) as digests:
            _require_free(target)
            _require_room(partial, target, expected.size_bytes)
            source.write_companions(partial)
            _write_config(partial, quantized_config(source.config, placements, recipe))
            yield from _write_weights(source, placements, partial, expected.parameters, delivery or _AllHere(source))
            provenance.write(partial, msgspec.structs.replace(note, files_sha256=digests.result()))
            staging.put_in_place(partial, target)


class _AllHere:
    """The delivery of what is on the disk already."""

    keeps = True
    digests: Mapping[str, str] = {}

    def __init__(self, source: Source) -> None:
        self.here = frozenset(file.name for file in source.files)

    def wait(self) -> None:
        """There is nothing to wait for."""

    def release(self, names: Sequence[str], front: int) -> None:
        """It all stays."""


def _digests(source: Source, delivery: Delivery | None) -> AbstractContextManager[Digests | KnownDigests]:
    return Digests(source.files) if delivery is None else KnownDigests(delivery.digests)


def _require_free(target: Path) -> None:
    if target.exists():
        raise StorageError(f"There is a model called {target.parent.name}/{target.name} already. Choose another name.")


def _require_room(partial: Path, target: Path, size_bytes: int) -> None:
    free = shutil.disk_usage(partial).free
    if free < size_bytes + _reserve_bytes:
        raise NoSpace(
            f"The disk has no room for {target.name}: it takes {size_bytes / 1e9:.1f} GB, and {free / 1e9:.1f} GB are "
            "free. Make room and try again."
        )


def _write_config(folder: Path, config: Mapping[str, Any]) -> None:
    (folder / "config.json").write_text(json.dumps(_tag_floats(config), indent=4) + "\n")


def _provenance(source: Source, recipe: Recipe, expected: Forecast, origin: Provenance) -> Provenance:
    return Provenance(
        source=origin.source or source.path.name,
        revision=origin.revision,
        licence=describe(source.path, source.path.name).licence,
        recipe=f"Converted by the recipe {recipe.name}.",
        settings=msgspec.to_builtins(recipe),
        bits_per_weight=expected.bits_per_weight,
        notes=(*source.notes, *(f"{one.prefix} is left out: {one.reason}." for one in expected.dropped)),
        kept=tuple(kept_in_words(one for one in expected.kept if one[1] not in USUAL_REASONS)),
        created=provenance.now(),
        tools=provenance.versions("facet", "mlx", "mlx-lm"),
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Some rows of a parameter, and where to read them: as floats to convert, or packed, array by array, to copy."""

    placement: Placement
    start: int
    stop: int
    rows: int
    floats: Rows | None
    packed: Mapping[str, Rows]


def _write_weights(
    source: Source, placements: Sequence[Placement], folder: Path, parameters: int, delivery: Delivery
) -> Iterator[Progress]:
    writer = Writer(folder, (array for placement in placements for array in placement.arrays.items()))
    workers = _executor()
    supply = supply_of(source, [one.parameter for one in placements if one.size_bytes])
    missing = Counter({placement.parameter.name: placement.size_bytes for placement in placements})
    try:
        pieces = _pieces(source, placements, supply, delivery)
        done_bytes, name = 0, ""
        for placement, written_bytes in _in_order(workers, pieces, writer):
            if placement is None:
                delivery.wait()
            else:
                name = placement.parameter.name
                done_bytes += written_bytes
                missing[name] -= written_bytes
                if not missing[name]:
                    _release(source, supply.finish(name), supply.front, writer, delivery)
            yield Progress(done_bytes, writer.data_bytes, name)
        writer.finish(parameters)
    finally:
        workers.shutdown(cancel_futures=True)
        writer.close()


def _release(source: Source, files: Sequence[str], front: int, writer: Writer, delivery: Delivery) -> None:
    """Give up files whose contents are all in the result, which must be on the disk before they go."""
    if files and not delivery.keeps:
        writer.sync()
        source.forget(files)
    delivery.release(files, front)


class _SameThread(Executor):
    """Does at once what it is given."""

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(function(*args, **kwargs))
        return done


def _executor() -> Executor:
    """Return who does the work: on the CPU two threads, more did not help; on a GPU the caller's.

    A GPU quantizes as fast as a disk reads, and is spoken to by one thread alone: the one that, for some tensors, has
    to calculate on the whole of them.
    """
    if mx.default_device() == mx.Device(mx.cpu):
        return ThreadPoolExecutor(2, thread_name_prefix="convert")
    return _SameThread()


def _in_order(
    workers: Executor, pieces: Iterator[_Piece | None], writer: Writer
) -> Iterator[tuple[Placement | None, int]]:
    """Let the workers have some pieces at a time; give what has been written of each, or None to wait for a piece."""
    waiting: deque[tuple[Placement, Future[int]]] = deque()
    for piece in pieces:
        if piece is not None:
            waiting.append((piece.placement, workers.submit(_convert_piece, piece, writer)))
        elif not waiting:
            yield None, 0
        if waiting and (piece is None or len(waiting) >= _pieces_at_once):
            placement, future = waiting.popleft()
            yield placement, future.result()
    for placement, future in waiting:
        yield placement, future.result()


def _pieces(
    source: Source, placements: Sequence[Placement], supply: Supply, delivery: Delivery
) -> Iterator[_Piece | None]:
    """Give the pieces of what can be read, and None as long as nothing can that was not yet given."""
    waiting = {placement.parameter.name: placement for placement in placements if placement.size_bytes}
    while waiting:
        ready = [name for name in supply.ready(delivery.here) if name in waiting]
        for name in ready:
            yield from _pieces_of(source, waiting.pop(name))
        if not ready:
            yield None


def _pieces_of(source: Source, placement: Placement) -> Iterator[_Piece]:
    parameter, form = placement.parameter, placement.format
    columns = parameter.shape[-1] if parameter.shape else 1
    rows = parameter.elements // max(columns, 1)
    packed = (source.packed(parameter.name, form) if form else None) or {}
    floats = None if packed else source.rows(parameter.name)
    size_bytes = _small_piece_bytes if form and form.mode != "affine" else _piece_bytes
    step = max(1, size_bytes // max(2 * columns, 1))
    for start in range(0, rows, step):
        yield _Piece(placement, start, min(start + step, rows), rows, floats, packed)


def _convert_piece(piece: _Piece, writer: Writer) -> int:
    path, name = piece.placement.parameter.path, piece.placement.parameter.name
    try:
        if piece.floats is None:
            arrays = {
                part: copy_rows(rows(piece.start, piece.stop), piece.placement) for part, rows in piece.packed.items()
            }
        else:
            arrays = dict(convert_rows(piece.floats(piece.start, piece.stop), piece.placement))
    except (MemoryError, RuntimeError, ValueError) as error:
        raise EngineError(f"{name} could not be converted: {error}. Close other programs and try again.") from error
    names = {part: name if len(piece.placement.arrays) == 1 else f"{path}.{part}" for part in arrays}
    return sum(writer.write(names[part], data, row=piece.start, rows=piece.rows) for part, data in arrays.items())
