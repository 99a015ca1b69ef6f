"""Traces each parameter of a network to bytes of the source, through the graph of mlx-lm's operations on them.

Most parameters are an unchanged tensor of the source or a concatenation of tensors or parts of them: stacked experts,
or a fused matrix split in two. Their bytes are in the source, so they can be read row by row. For example, if mlx-lm
stacks the tensors e0 and e1 of 10 bytes each, the lineage of the stack is [e0 0-10, e1 0-10], and its second half is
[e1 0-10]. Operations that calculate, or move single weights, have to run in MLX on whole tensors.

`mx.export_function` reports the graph in small dictionaries: https://ml-explore.github.io/mlx, "Exporting functions".
This module reads them and imports no MLX.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_max_extents = 2**14
"""With more extents, a parameter is cheaper to calculate than to gather."""

_moves_nothing = frozenset(
    {"Contiguous", "Copy", "ExpandDims", "Flatten", "Reshape", "Squeeze", "StopGradient", "Unflatten", "View"}
)


@dataclass(frozen=True, slots=True)
class Extent:
    """The bytes [start, stop) of a tensor's data."""

    tensor: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """The origin of a parameter: its bytes are those of `extents`, in this order; None if it is calculated."""

    extents: tuple[Extent, ...] | None
    tensors: frozenset[str]
    """All tensors of the source that contribute to it."""


_Array = tuple[str, tuple[int, ...], Any]  # as in the graph: a name, a shape, a type


@dataclass(slots=True)
class Graph:
    """Callback of `mx.export_function` that collects the lineage of each output.

    `size_bytes` are the sizes of the tensors by name, in the order of the exported function's arguments.
    """

    size_bytes: Mapping[str, int]
    outputs: tuple[str, ...] = ()
    _lineages: dict[str, Lineage] = field(default_factory=dict)

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Process one event of the export."""
        match event["type"]:
            case "inputs":
                for (name, *_), (tensor, size) in zip(event["inputs"], self.size_bytes.items(), strict=True):
                    self._lineages[name] = whole(tensor, size)
            case "outputs":
                self.outputs = tuple(name for name, *_ in event["outputs"])
            case "primitive":
                self._apply(event["name"], event["arguments"], event["inputs"], event["outputs"])

    def lineages(self) -> tuple[Lineage, ...]:
        """Return the lineages of the outputs, in their order; a constant comes from no tensor."""
        return tuple(self._lineages.get(name, Lineage(None, frozenset())) for name in self.outputs)

    def _apply(self, primitive: str, arguments: list[Any], inputs: list[_Array], outputs: list[_Array]) -> None:
        sources = [self._lineages.get(name, Lineage(None, frozenset())) for name, *_ in inputs]
        tensors = frozenset().union(*(source.tensors for source in sources))
        pieces: list[list[Extent] | None] = [None] * len(outputs)
        if sources and all(source.extents is not None for source in sources):
            parts = [list(source.extents or ()) for source in sources]
            shapes = [shape for _, shape, _ in inputs]
            pieces = _trace(primitive, arguments, parts, shapes) or pieces
        for (name, *_), piece in zip(outputs, pieces, strict=True):
            extents = None if piece is None or len(piece) > _max_extents else tuple(piece)
            self._lineages[name] = Lineage(extents, tensors)


def whole(tensor: str, size_bytes: int) -> Lineage:
    """Return the lineage of a parameter that is the tensor itself."""
    return Lineage((Extent(tensor, 0, size_bytes),), frozenset({tensor}))


def _trace(
    primitive: str, arguments: list[Any], parts: list[list[Extent]], shapes: list[tuple[int, ...]]
) -> list[list[Extent] | None] | None:
    """Return the extents of each output of a primitive, or None if it does not just move bytes of its inputs."""
    if primitive in _moves_nothing:
        return [parts[0]]
    if primitive == "Concatenate":
        return [_concatenate(parts, shapes, axis=arguments[0])]
    if primitive == "Split":
        return _split(parts[0], shapes[0], indices=arguments[0], axis=arguments[1])
    if primitive == "Slice" and set(arguments[2]) <= {1}:
        return [_slice(parts[0], shapes[0], start=arguments[0], stop=arguments[1])]
    return None


def _concatenate(parts: list[list[Extent]], shapes: list[tuple[int, ...]], *, axis: int) -> list[Extent] | None:
    outer = math.prod(shapes[0][:axis])
    if outer > _max_extents:
        return None
    sizes = [_size(part) // max(outer, 1) for part in parts]
    return _joined(
        extent
        for index in range(outer)
        for part, size in zip(parts, sizes, strict=True)
        for extent in _cut(part, index * size, (index + 1) * size)
    )


def _split(
    part: list[Extent], shape: tuple[int, ...], *, indices: tuple[int, ...], axis: int
) -> list[list[Extent] | None]:
    bounds = (0, *indices, shape[axis])
    starts = [tuple(start if at == axis else 0 for at in range(len(shape))) for start in bounds[:-1]]
    stops = [tuple(stop if at == axis else size for at, size in enumerate(shape)) for stop in bounds[1:]]
    return [_slice(part, shape, start=start, stop=stop) for start, stop in zip(starts, stops, strict=True)]


def _slice(
    part: list[Extent], shape: tuple[int, ...], *, start: tuple[int, ...], stop: tuple[int, ...]
) -> list[Extent] | None:
    """Cut out a block: for each index on the axes before, a run of bytes along the last axis that is sliced."""
    axis = max((at for at, size in enumerate(shape) if (start[at], stop[at]) != (0, size)), default=0)
    starts = [0]
    for size, first, last in zip(shape[:axis], start, stop, strict=False):
        starts = [start_index * size + index for start_index in starts for index in range(first, last)]
        if len(starts) > _max_extents:
            return None
    row = _size(part) // max(math.prod(shape[: axis + 1]), 1)
    return _joined(
        extent
        for start_index in starts
        for extent in _cut(
            part, (start_index * shape[axis] + start[axis]) * row, (start_index * shape[axis] + stop[axis]) * row
        )
    )


def _size(part: Iterable[Extent]) -> int:
    return sum(extent.stop - extent.start for extent in part)


def _cut(part: Iterable[Extent], start: int, stop: int) -> Iterable[Extent]:
    """Yield the part [start, stop) of the joined extents."""
    at = 0
    for extent in part:
        size = extent.stop - extent.start
        first, last = max(start - at, 0), min(stop - at, size)
        if first < last:
            yield Extent(extent.tensor, extent.start + first, extent.start + last)
        at += size


def _joined(extents: Iterable[Extent]) -> list[Extent]:
    joined: list[Extent] = []
    for extent in extents:
        if joined and joined[-1].tensor == extent.tensor and joined[-1].stop == extent.start:
            joined[-1] = Extent(extent.tensor, joined[-1].start, extent.stop)
        else:
            joined.append(extent)
    return joined
