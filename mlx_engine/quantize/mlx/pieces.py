"""Splits the weights of a conversion into pieces, some rows of a parameter each, that threads convert and write."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import mlx.core as mx

from mlx_engine.errors import EngineError
from mlx_engine.modes import MODES
from mlx_engine.quantize.mlx.quantizing import convert_rows, copy_rows
from mlx_engine.quantize.mlx.source import Rows, Source
from mlx_engine.quantize.plan.delivery import FileDelivery
from mlx_engine.quantize.plan.layout import ParameterPlacement
from mlx_engine.quantize.plan.supply import Supply
from mlx_engine.quantize.plan.writer import Writer

P = ParamSpec("P")
T = TypeVar("T")

_piece_bytes = 2**21
_small_piece_bytes = 2**20
"""For modes that take much memory on the CPU (`QuantizationMode.is_slow_on_cpu`)."""
_at_once = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a parameter, with their readers: `floats` to convert, or `packed` by array to copy."""

    placement: ParameterPlacement
    start: int
    stop: int
    rows: int
    floats: Rows | None
    packed: Mapping[str, Rows]


def pieces(
    source: Source, placements: Sequence[ParameterPlacement], supply: Supply, delivery: FileDelivery
) -> Iterator[Piece | None]:
    """Yield the pieces of all available parameters, and None while no further parameter is available."""
    waiting = {placement.parameter.name: placement for placement in placements if placement.size_bytes}
    while waiting:
        ready = [name for name in supply.ready(delivery.available) if name in waiting]
        for name in ready:
            yield from _pieces_of(source, waiting.pop(name))
        if not ready:
            yield None


def _pieces_of(source: Source, placement: ParameterPlacement) -> Iterator[Piece]:
    parameter, form = placement.parameter, placement.format
    columns = parameter.shape[-1] if parameter.shape else 1
    rows = parameter.elements // max(columns, 1)
    packed = (source.packed(parameter.name, form) if form else None) or {}
    floats = None if packed else source.rows(parameter.name)
    size_bytes = _small_piece_bytes if form and MODES[form.mode].is_slow_on_cpu else _piece_bytes
    step = max(1, size_bytes // max(2 * columns, 1))
    for start in range(0, rows, step):
        yield Piece(placement, start, min(start + step, rows), rows, floats, packed)


class SameThread(Executor):
    """Runs each function immediately in the calling thread."""

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(function(*args, **kwargs))
        return future


def executor() -> Executor:
    """Return the executor: two threads on the CPU, since more did not help; the calling thread on a GPU.

    A GPU quantizes as fast as a disk reads, and only one thread should use it: the one that calculates on whole
    tensors.
    """
    if mx.default_device() == mx.Device(mx.cpu):
        return ThreadPoolExecutor(2, thread_name_prefix="convert")
    return SameThread()


def convert_pieces(
    workers: Executor, pieces: Iterator[Piece | None], writer: Writer
) -> Iterator[tuple[ParameterPlacement | None, int]]:
    """Submit some pieces at a time to the workers; yield the bytes written of each, or None to wait for a piece."""
    waiting: deque[tuple[ParameterPlacement, Future[int]]] = deque()
    for piece in pieces:
        if piece is not None:
            waiting.append((piece.placement, workers.submit(_convert_piece, piece, writer)))
        elif not waiting:
            yield None, 0
        if waiting and (piece is None or len(waiting) >= _at_once):
            placement, future = waiting.popleft()
            yield placement, future.result()
    for placement, future in waiting:
        yield placement, future.result()


def _convert_piece(piece: Piece, writer: Writer) -> int:
    path, name = piece.placement.parameter.path, piece.placement.parameter.name
    try:
        if piece.floats is None:
            arrays = {
                part: copy_rows(rows(piece.start, piece.stop), piece.placement) for part, rows in piece.packed.items()
            }
        else:
            arrays = dict(convert_rows(piece.floats(piece.start, piece.stop), piece.placement))
    except (MemoryError, RuntimeError, ValueError) as error:
        raise EngineError(f"Couldn't convert {name}: {error}. Close other apps and try again.") from error
    names = {part: name if len(piece.placement.arrays) == 1 else f"{path}.{part}" for part in arrays}
    return sum(writer.write(names[part], data, row=piece.start, rows=piece.rows) for part, data in arrays.items())
