"""From which bytes of the source each parameter of a network comes, read off the graph of what mlx-lm does to them.

Most parameters are a tensor of the source as it stands, or several of them one after the other: experts stacked, a
fused matrix split in two. Their bytes are in the source, so they can be read row by row. Whatever calculates, or
moves single weights about, has to be carried out by MLX on whole tensors.

The graph is told by `mx.export_function` in small dictionaries: https://ml-explore.github.io/mlx, "Exporting
functions". This module reads them and imports no MLX.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_most_extents = 2**14
"""Past so many pieces a parameter is cheaper to calculate than to gather."""

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
    """Where a parameter comes from: its bytes are those of `extents`, in their order; None if it is calculated."""

    extents: tuple[Extent, ...] | None
    tensors: frozenset[str]
    """All tensors of the source that have a part in it."""


_Array = tuple[str, tuple[int, ...], Any]  # as the graph tells them: a name in the graph, a shape, a type


@dataclass(slots=True)
class Graph:
    """Listens to `mx.export_function`, and knows the lineage of each of its outputs in the end.

    `size_bytes` are the sizes of the tensors by name, in the order in which the exported function takes them.
    """

    size_bytes: Mapping[str, int]
    outputs: tuple[str, ...] = ()
    _known: dict[str, Lineage] = field(default_factory=dict)

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Take in one event of the export."""
        match event["type"]:
            case "inputs":
                for (name, *_), (tensor, size) in zip(event["inputs"], self.size_bytes.items(), strict=True):
                    self._known[name] = whole(tensor, size)
            case "outputs":
                self.outputs = tuple(name for name, *_ in event["outputs"])
            case "primitive":
                self._apply(event["name"], event["arguments"], event["inputs"], event["outputs"])

    def lineages(self) -> tuple[Lineage, ...]:
        """Return the lineages of the outputs, in their order; what is made of constants comes from no tensor."""
        return tuple(self._known.get(name, Lineage(None, frozenset())) for name in self.outputs)

    def _apply(self, primitive: str, arguments: list[Any], inputs: list[_Array], outputs: list[_Array]) -> None:
        sources = [self._known.get(name, Lineage(None, frozenset())) for name, *_ in inputs]
        tensors = frozenset().union(*(source.tensors for source in sources))
        pieces: list[list[Extent] | None] = [None] * len(outputs)
        if sources and all(source.extents is not None for source in sources):
            parts = [list(source.extents or ()) for source in sources]
            shapes = [shape for _, shape, _ in inputs]
            pieces = _trace(primitive, arguments, parts, shapes) or pieces
        for (name, *_), piece in zip(outputs, pieces, strict=True):
            kept = None if piece is None or len(piece) > _most_extents else tuple(piece)
            self._known[name] = Lineage(kept, tensors)


def whole(tensor: str, size_bytes: int) -> Lineage:
    """Return the lineage of a parameter that is the tensor itself."""
    return Lineage((Extent(tensor, 0, size_bytes),), frozenset({tensor}))


def _trace(
    primitive: str, arguments: list[Any], parts: list[list[Extent]], shapes: list[tuple[int, ...]]
) -> list[list[Extent] | None] | None:
    """Return the bytes of what a primitive gives, or None if they are not bytes of what it takes."""
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
    if outer > _most_extents:
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
    """Cut a block out: runs of bytes along the last axis that is not taken whole, for each place on those before."""
    axis = max((at for at, size in enumerate(shape) if (start[at], stop[at]) != (0, size)), default=0)
    places = [0]
    for size, first, last in zip(shape[:axis], start, stop, strict=False):
        places = [place * size + index for place in places for index in range(first, last)]
        if len(places) > _most_extents:
            return None
    row = _size(part) // max(math.prod(shape[: axis + 1]), 1)
    return _joined(
        extent
        for place in places
        for extent in _cut(part, (place * shape[axis] + start[axis]) * row, (place * shape[axis] + stop[axis]) * row)
    )


def _size(part: Iterable[Extent]) -> int:
    return sum(extent.stop - extent.start for extent in part)


def _cut(part: Iterable[Extent], start: int, stop: int) -> Iterable[Extent]:
    """Give what lies at [start, stop) of the extents joined."""
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
