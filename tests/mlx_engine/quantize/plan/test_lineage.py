"""The computed sources of an array compared with its bytes."""

from collections.abc import Callable

import mlx.core as mx
import numpy as np
import pytest

from mlx_engine.quantize.mlx.exportable import exportable
from mlx_engine.quantize.plan.lineage import Graph, Lineage

_tensors = {
    "matrix": mx.arange(48, dtype=mx.uint16).reshape(6, 8),
    "other": mx.arange(100, 132, dtype=mx.uint16).reshape(4, 8),
    "experts": mx.arange(200, 296, dtype=mx.uint16).reshape(2, 6, 8),
    "vector": mx.arange(300, 308, dtype=mx.uint16),
}
_unchanged: dict[str, Callable[[dict[str, mx.array]], mx.array]] = {
    "as it is": lambda t: t["matrix"],
    "stacked": lambda t: mx.stack([t["matrix"], t["matrix"]]),
    "stacked within": lambda t: mx.stack([t["matrix"], t["matrix"]], axis=1),
    "joined": lambda t: mx.concatenate([t["matrix"], t["other"]]),
    "joined within": lambda t: mx.concatenate([t["experts"], t["experts"][:, 1:3]], axis=1),
    "split": lambda t: mx.split(t["matrix"], 3)[1],
    "split within": lambda t: mx.split(t["experts"], [1, 4], axis=-2)[1],
    "a block": lambda t: t["experts"][1:, 2:5, 3:7],
    "a row": lambda t: t["matrix"][2:3].squeeze(0),
    "reshaped": lambda t: t["experts"].reshape(3, 32).flatten(),
    "put in one piece": lambda t: mx.contiguous(t["experts"][:, 1:3]),
    "other types": lambda t: t["matrix"].view(mx.uint32),
    "several steps": lambda t: mx.stack([mx.split(t["experts"], 2, axis=1)[1][1:].squeeze(0), t["other"][1:4]])[
        ..., None, :
    ],
}
_calculated: dict[str, Callable[[dict[str, mx.array]], mx.array]] = {
    "transposed": lambda t: t["matrix"].T,
    "every second row": lambda t: t["matrix"][::2],
    "added": lambda t: t["vector"] + 1,
    "transposed, in one piece": lambda t: mx.contiguous(t["matrix"].T),
    "read as FP8": lambda t: mx.from_fp8(t["vector"].view(mx.uint8), dtype=mx.bfloat16),
    "cast": lambda t: t["vector"].astype(mx.float32),
    "repeated": lambda t: mx.repeat(t["vector"], 2),
}


def _trace(make: Callable[[dict[str, mx.array]], mx.array]) -> Lineage:
    graph = Graph({name: tensor.nbytes for name, tensor in _tensors.items()})
    export = mx.export_function
    stand_ins = [mx.zeros_like(array) for array in _tensors.values()]
    with exportable():
        export(graph, lambda *arrays: [make(dict(zip(_tensors, arrays, strict=True)))], *stand_ins)
    (lineage,) = graph.lineages()
    return lineage


def _bytes(array: mx.array) -> bytes:
    return np.array(array).tobytes()


@pytest.mark.parametrize("name", _unchanged)
def test_moved_bytes_are_located(name: str) -> None:
    """As runs, in order."""
    lineage = _trace(_unchanged[name])

    assert lineage.extents is not None
    content = b"".join(_bytes(_tensors[run.tensor])[run.start : run.stop] for run in lineage.extents)
    assert content == _bytes(_unchanged[name](_tensors))
    assert lineage.tensors == {run.tensor for run in lineage.extents}


@pytest.mark.parametrize("name", _calculated)
def test_computed_arrays_are_recognized(name: str) -> None:
    """With their tensors."""
    lineage = _trace(_calculated[name])

    assert lineage.extents is None
    assert len(lineage.tensors) == 1


def test_adjacent_runs_are_merged() -> None:
    """A tensor that is split and joined again is read at once."""
    lineage = _trace(lambda t: mx.concatenate(mx.split(t["matrix"], 3)))

    assert lineage.extents is not None
    assert len(lineage.extents) == 1


def test_constants_have_no_source() -> None:
    """Some networks add such arrays."""
    lineage = _trace(lambda _: mx.ones((4,)))

    assert lineage == Lineage(None, frozenset())


def test_a_model_can_have_many_tensors() -> None:
    """A mixture of 128 experts in 48 layers has 18,000; MLX accepts at most 1,024 named arguments."""
    graph = Graph({f"{number}": 4 for number in range(3000)})
    export = mx.export_function

    export(graph, lambda *tensors: [mx.stack(tensors)], *[mx.zeros((2,), mx.uint16) for _ in range(3000)])

    (lineage,) = graph.lineages()
    assert lineage.extents is not None
    assert len(lineage.extents) == 3000
