"""Derives `rope_scaling` of `config.json` from a GGUF file.

Llama 3.1 and its derivatives scale frequencies by a formula with four constants. GGUF stores only the results, one
factor per pair of dimensions. All published models share three of the constants; the factors determine the fourth.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from mlx_engine.errors import UnsupportedModel
from mlx_engine.models.gguf.metadata import Metadata

# Meta's values for Llama 3.1, 3.2 and 3.3.
_low_frequency_factor = 1.0
_high_frequency_factor = 4.0
_original_context = 8192


def rope_scaling(
    metadata: Metadata, prefix: str, *, factors: Sequence[float] | None, theta: float
) -> dict[str, Any] | None:
    """Return `rope_scaling`, or None if positions are not scaled. `factors` [head size / 2] divide the frequencies.

    Raises:
        UnsupportedModel: MLX has no counterpart for the scaling in the file.
    """
    kind = metadata.text(f"{prefix}.rope.scaling.type", "none")
    if kind not in ("none", "linear", "yarn") or (kind != "none" and factors is not None):
        raise UnsupportedModel(f"This file uses {kind!r} RoPE scaling, which Facet can't import without loss yet.")
    if kind == "linear":
        return {"rope_type": "linear", "factor": metadata.number(f"{prefix}.rope.scaling.factor")}
    if kind == "yarn":
        return _yarn(metadata, prefix)
    if factors is None or all(factor == 1 for factor in factors):
        return None
    factor = max(factors)
    if not _is_llama3(factors, theta=theta, factor=factor):
        raise UnsupportedModel("This file uses custom RoPE factors, which Facet can't import yet.")
    return {
        "rope_type": "llama3",
        "factor": factor,
        "low_freq_factor": _low_frequency_factor,
        "high_freq_factor": _high_frequency_factor,
        "original_max_position_embeddings": _original_context,
    }


def _yarn(metadata: Metadata, prefix: str) -> dict[str, Any]:
    """Return the settings of YaRN. llama.cpp rounds the range of dimensions outward, and scales attention as YaRN does.

    Source: ggml, `ggml_rope_yarn_corr_dims` and `rope_yarn`.
    """
    key = f"{prefix}.rope.scaling"
    factor = metadata.number(f"{key}.factor")
    return {
        "rope_type": "yarn",
        "factor": factor,
        "original_max_position_embeddings": metadata.count(
            f"{key}.original_context_length", metadata.count(f"{prefix}.context_length")
        ),
        "beta_fast": metadata.number(f"{key}.yarn_beta_fast", 32.0),
        "beta_slow": metadata.number(f"{key}.yarn_beta_slow", 1.0),
    }


def long_rope_scaling(metadata: Metadata, prefix: str, factors: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return `rope_scaling` of a model with factors for short and for long contexts, in this order."""
    short, long = ([float(factor) for factor in values] for values in factors)
    scaling: dict[str, Any] = {"rope_type": "longrope", "short_factor": short, "long_factor": long}
    if f"{prefix}.rope.scaling.attn_factor" in metadata:
        scaling["attention_factor"] = metadata.number(f"{prefix}.rope.scaling.attn_factor")
    return scaling


def _is_llama3(factors: Sequence[float], *, theta: float, factor: float) -> bool:
    if not (theta > 0 and 0 < factor < math.inf):
        return False
    expected = _llama3_factors(2 * len(factors), theta=theta, factor=factor)
    return all(math.isclose(*pair, rel_tol=1e-5) for pair in zip(factors, expected, strict=True))


def _llama3_factors(head_size: int, *, theta: float, factor: float) -> Iterator[float]:
    """Yield the divisor of each frequency: 1 for short wavelengths, `factor` for long ones, a blend in between.

    Source: meta-llama/llama-models, `apply_scaling`.
    """
    for dimension in range(0, head_size, 2):
        wavelength = 2 * math.pi * theta ** (dimension / head_size)
        blend = _original_context / wavelength - _low_frequency_factor
        blend = min(max(blend / (_high_frequency_factor - _low_frequency_factor), 0), 1)
        yield 1 / ((1 - blend) / factor + blend)
