"""Checks the memory for a measurement, and translates the errors of running out of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlx_engine.errors import EngineError, OutOfMemory
from mlx_engine.inference.memory import is_out_of_memory
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.memory_required import measurement_fit
from mlx_engine.models.description.describe import describe
from mlx_engine.models.memory.machine import Machine
from mlx_engine.protocol import CacheBits


def require_memory(
    model: Path,
    name: str,
    convention: Convention,
    machine: Machine,
    *,
    cache_bits: CacheBits = 16,
    remedy: str = "Use shorter chunks, or a Mac with more memory.",
) -> None:
    """Require memory for the model in the folder `model` with a chunk of context and its logits.

    Raises:
        OutOfMemory: it does not fit; the message has the breakdown and `remedy`.
    """
    fit = measurement_fit(describe(model, name), machine, convention, cache_bits=cache_bits)
    if fit.verdict == "too large":
        raise OutOfMemory(f"{name} is too large to be measured on this Mac. {fit.summary} {remedy}")


@contextmanager
def engine_errors(name: str) -> Iterator[None]:
    """Translate the errors that MLX and `forward.logits` raise while running the model `name`."""
    try:
        yield
    except FloatingPointError as error:
        raise EngineError(f"{name} {error}") from error
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise OutOfMemory(
                f"{name} ran out of memory during the measurement. Close other apps, or use shorter chunks."
            ) from error
        reason = " ".join(str(error).split())[:300].rstrip(".")
        raise EngineError(f"{name} failed to run: {reason}.") from error
