"""Whether a model has the memory to be measured, and what running out of it looks like."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mlx_engine.errors import EngineError, OutOfMemory
from mlx_engine.inference.memory import is_out_of_memory
from mlx_engine.measure.convention import Convention
from mlx_engine.models.describe import describe
from mlx_engine.models.machine import Machine
from mlx_engine.models.memory import fit, runtime_on
from mlx_engine.protocol import CacheBits

_float32_rows = 64 * 4 * 8
"""Bytes for each token of the vocabulary while positions are worked on: see `forward.by_rows`; measured."""


def check_room(model: Path, name: str, convention: Convention, machine: Machine, *, cache_bits: CacheBits = 16) -> None:
    """Pass if the model in the folder `model` fits with a chunk of context and its logits.

    Raises:
        OutOfMemory: it does not; the message has the sum.
    """
    description = describe(model, name)
    runtime = runtime_on(machine, description)
    found = fit(description, machine, context=convention.chunk_tokens, cache_bits=cache_bits, runtime=runtime)
    logits = description.shape.vocabulary * (2 * convention.chunk_tokens * runtime.number_bytes + _float32_rows)
    need = replace(found.estimate, work_bytes=found.estimate.work_bytes + logits)
    if need.total_bytes > machine.working_set_bytes:
        raise OutOfMemory(
            f"{name} is too large to be measured on this machine: {replace(found, estimate=need).in_words} Of an "
            "original that is too large, a conversion to 8 bits can answer in its place (stand-in); divergences "
            "are a lower bound then."
        )


@contextmanager
def engine_errors(name: str) -> Iterator[None]:
    """Translate what MLX raises while it runs the model called `name`."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise OutOfMemory(
                f"{name} ran out of memory while it was measured. Close other programs, or use shorter chunks."
            ) from error
        raise EngineError(f"MLX could not go on: {' '.join(str(error).split())[:300]}.") from error
