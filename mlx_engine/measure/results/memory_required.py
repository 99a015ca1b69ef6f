"""How much memory it takes to measure a model: what it needs to run, and the predictions that are held at once.

Imports no MLX: the window says before a study what does not fit.
"""

from dataclasses import replace

from mlx_engine.measure.results.convention import Convention
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.models.memory.memory import Fit, fit, runtime_on, verdict
from mlx_engine.protocol import CacheBits

_float32_rows = 64 * 4 * 8
"""Bytes for each token of the vocabulary while positions are worked on: see `forward.by_rows`; measured."""


def measurement_fit(
    model: ModelDescription, machine: Machine, convention: Convention, *, cache_bits: CacheBits = 16
) -> Fit:
    """Return whether `model` fits with a chunk of context and its logits."""
    found = fit(model, machine, context=convention.chunk_tokens, cache_bits=cache_bits)
    logits = model.shape.vocabulary * (
        2 * convention.chunk_tokens * runtime_on(machine, model).number_bytes + _float32_rows
    )
    whole = replace(found.estimate, work_bytes=found.estimate.work_bytes + logits)
    return replace(found, estimate=whole, verdict=verdict(whole, machine))
