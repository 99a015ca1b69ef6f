"""Whether a model has the memory to be measured, and what running out of it looks like."""

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
    way_out: str = "Have shorter chunks read, or measure it on a machine with more memory.",
) -> None:
    """Pass if the model in the folder `model` fits with a chunk of context and its logits.

    Raises:
        OutOfMemory: it does not; the message has the sum, and then `way_out`.
    """
    found = measurement_fit(describe(model, name), machine, convention, cache_bits=cache_bits)
    if found.verdict == "too large":
        raise OutOfMemory(f"{name} is too large to be measured on this Mac. {found.summary} {way_out}")


@contextmanager
def engine_errors(name: str) -> Iterator[None]:
    """Translate what MLX raises while it runs the model called `name`, and what `forward.logits` finds in it."""
    try:
        yield
    except FloatingPointError as error:
        raise EngineError(f"{name} {error}") from error
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise OutOfMemory(
                f"{name} ran out of memory while it was measured. Close other programs, or read less at a time."
            ) from error
        reason = " ".join(str(error).split())[:300].rstrip(".")
        raise EngineError(f"{name} could not be run to the end: {reason}.") from error
