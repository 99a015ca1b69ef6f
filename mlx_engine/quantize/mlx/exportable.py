"""Makes functions exportable that MLX cannot export, for uses that need only their steps and not their results."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mlx.core as mx


def _contiguous(array: mx.array, *_: Any, **__: Any) -> mx.array:
    """Return the array unchanged: making it contiguous keeps the order of its weights."""
    return array


def _from_fp8(array: mx.array, dtype: mx.Dtype = mx.bfloat16, **_: Any) -> mx.array:
    """Return a calculated array of the right shape and type."""
    return array.astype(dtype)


_substitutes = {"contiguous": _contiguous, "from_fp8": _from_fp8}


@contextmanager
def exportable() -> Iterator[None]:
    """Replace some functions of MLX temporarily; no other thread should use MLX in this context.

    WORKAROUND(mlx 0.32.4): `export_function` fails on `mx.contiguous` and `mx.from_fp8` ("Unable to get state for
    primitive"). Remove this when it no longer does.
    """
    originals = {name: getattr(mx, name) for name in _substitutes}
    try:
        for name, substitute in _substitutes.items():
            setattr(mx, name, substitute)
        yield
    finally:
        for name, original in originals.items():
            setattr(mx, name, original)
