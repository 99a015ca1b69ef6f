"""The wavelengths of rotary position embeddings, and the factor of what is rotated, as transformers computes them.

Source of the formulas: transformers 5.23, `modeling_rope_utils`; Su et al., arXiv 2104.09864 (the embedding); Peng et
al., arXiv 2309.00071 (yarn); Ding et al., arXiv 2402.13753 (longrope).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_tolerance = 1e-5


@dataclass(frozen=True, slots=True)
class Waves:
    """The wavelengths of a rotation, in tokens per radian, and the factor of what is rotated."""

    lengths: NDArray[np.float64]
    factor: float = 1.0

    def equals(self, other: "Waves | None") -> bool:
        return (
            other is not None
            and self.lengths.shape == other.lengths.shape
            and bool(np.allclose(self.lengths, other.lengths, rtol=_tolerance))
            and math.isclose(self.factor, other.factor, rel_tol=_tolerance)
        )


def waves(dims: int, base: float, settings: Mapping[str, Any]) -> Waves:
    """Return the waves of `dims` values per head by one of the settings that do not depend on the context's length."""
    plain = plain_waves(dims, base)
    match settings["rope_type"]:
        case "default":
            return plain
        case "dynamic":  # Hunyuan's "alpha" raises the base whatever the length.
            return plain_waves(dims, base * float(settings["alpha"]) ** (dims / (dims - 2)))
        case "linear":
            return Waves(plain.lengths * float(settings["factor"]))
        case "llama3":
            return _llama3(plain.lengths, settings)
        case "yarn":
            return _yarn(plain.lengths, base, settings)
        case "proportional":
            return _proportional(plain.lengths, settings)
        case other:
            raise ValueError(f"no rotation of type {other!r}")


def long_waves(dims: int, base: float, settings: Mapping[str, Any], longest: int) -> tuple[Waves, Waves]:
    """Return the waves of longrope for short and for long contexts; `longest` is `max_position_embeddings`."""
    lengths = plain_waves(dims, base).lengths
    default = _long_factor(settings, longest)
    short, long = (
        Waves(
            lengths * np.asarray(settings[f"{name}_factor"], np.float64),
            float(settings.get(f"{name}_mscale") or default),
        )
        for name in ("short", "long")
    )
    return short, long


def plain_waves(dims: int, base: float) -> Waves:
    """Return the waves of `dims` values per head without scaling."""
    return Waves(base ** (np.arange(0, dims, 2, dtype=np.float64) / dims))


def _llama3(lengths: NDArray[np.float64], settings: Mapping[str, Any]) -> Waves:
    factor, original = float(settings["factor"]), float(settings["original_max_position_embeddings"])
    low, high = float(settings["low_freq_factor"]), float(settings["high_freq_factor"])
    turns = original / (2 * math.pi * lengths)
    smooth = np.clip((turns - low) / (high - low), 0, 1) if high > low else np.where(turns < low, 0.0, 1.0)
    return Waves(lengths / ((1 - smooth) / factor + smooth))


def _yarn(lengths: NDArray[np.float64], base: float, settings: Mapping[str, Any]) -> Waves:
    factor, original = float(settings["factor"]), float(settings["original_max_position_embeddings"])
    dims = 2 * len(lengths)

    def dimension(turns: float) -> float:
        return dims * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base))

    low, high = dimension(settings.get("beta_fast") or 32), dimension(settings.get("beta_slow") or 1)
    if settings.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dims - 1)
    ramp = np.clip((np.arange(len(lengths)) - low) / ((high - low) or 0.001), 0, 1)
    return Waves(1 / (ramp / (factor * lengths) + (1 - ramp) / lengths), _yarn_factor(factor, settings))


def _yarn_factor(factor: float, settings: Mapping[str, Any]) -> float:
    if (stated := settings.get("attention_factor")) is not None:
        return float(stated)
    scale, whole_scale = settings.get("mscale"), settings.get("mscale_all_dim")
    if scale and whole_scale:
        return _attention_scale(factor, scale) / _attention_scale(factor, whole_scale)
    return _attention_scale(factor, 1)


def _attention_scale(factor: float, scale: float) -> float:
    return 1.0 if factor <= 1 else 0.1 * scale * math.log(factor) + 1.0


def _proportional(lengths: NDArray[np.float64], settings: Mapping[str, Any]) -> Waves:
    rotated = int(settings.get("partial_rotary_factor", 1.0) * 2 * len(lengths) // 2)
    stretched = lengths * float(settings.get("factor", 1.0))
    return Waves(np.where(np.arange(len(lengths)) < rotated, stretched, np.inf))


def _long_factor(settings: Mapping[str, Any], longest: int) -> float:
    if (stated := settings.get("attention_factor")) is not None:
        return float(stated)
    original = int(settings["original_max_position_embeddings"])
    factor = settings.get("factor") or longest / original
    return 1.0 if factor <= 1 else math.sqrt(1 + math.log(factor) / math.log(original))
