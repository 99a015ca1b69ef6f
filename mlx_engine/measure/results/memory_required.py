"""Memory required to measure a model: to run it, and to hold the logits of a chunk.

Does not import MLX, since the window checks before a study starts that its models fit.
"""

from dataclasses import replace

from mlx_engine.measure.results.convention import Convention
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import Fit, fit, runtime_on, verdict
from mlx_engine.protocol import CacheBits

_ROW_BYTES = 64 * 4 * 8
"""Per token of the vocabulary, for the float32 rows of `forward.by_rows`; measured."""


def measurement_fit(
    model: ModelDescription, machine: Machine, convention: Convention, *, cache_bits: CacheBits = 16
) -> Fit:
    """Return the memory for `model` with a chunk of context and its logits, and whether it fits on `machine`."""
    base = fit(model, machine, context=convention.chunk_tokens, cache_bits=cache_bits)
    logits = model.shape.vocabulary * (
        2 * convention.chunk_tokens * runtime_on(machine, model).number_bytes + _ROW_BYTES
    )
    total = replace(base.estimate, work_bytes=base.estimate.work_bytes + logits)
    return replace(base, estimate=total, verdict=verdict(total, machine))
