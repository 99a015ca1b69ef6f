"""Rotary position embeddings as transformers computes them.

WORKAROUND(mlx-lm 0.32.2): about 40 of its networks ignore or misread part of the settings. `correct_rotation` compares
each layer of a network with the configuration, and replaces those that differ.

Source of the formulas: transformers 5.23, `modeling_rope_utils`; Su et al., arXiv 2104.09864 (the embedding); Peng et
al., arXiv 2309.00071 (yarn); Ding et al., arXiv 2402.13753 (longrope).
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import numpy as np
from mlx import nn
from numpy.typing import NDArray

from mlx_engine.models.configuration.normalize import text_section
from mlx_engine.models.configuration.reference import find_reference
from mlx_engine.models.configuration.rotation import rotation_of

_nn: Any = nn
_layer = re.compile(r"(?:^|\.)layers\.(\d+)\.")
_tolerance = 1e-5


@dataclass(frozen=True, slots=True)
class _Waves:
    """The wavelengths of a rotation, in tokens per radian, and the factor of what is rotated."""

    lengths: NDArray[np.float64]
    factor: float = 1.0

    def equals(self, other: "_Waves | None") -> bool:
        return (
            other is not None
            and self.lengths.shape == other.lengths.shape
            and bool(np.allclose(self.lengths, other.lengths, rtol=_tolerance))
            and math.isclose(self.factor, other.factor, rel_tol=_tolerance)
        )


class Rotation(_nn.Module):  # type: ignore[misc]
    """Rotates the first `2 * len(lengths)` values of queries and keys."""

    def __init__(self, waves: _Waves, *, traditional: bool) -> None:
        super().__init__()
        self.dims = 2 * len(waves.lengths)
        self.traditional = traditional
        self._freqs = mx.array(waves.lengths.astype(np.float32))
        self._factor = waves.factor

    def __call__(self, values: mx.array, offset: int = 0) -> mx.array:
        if self._factor != 1.0:
            values = values.at[..., : self.dims].multiply(self._factor)
        return mx.fast.rope(
            values,
            self.dims,
            traditional=self.traditional,
            base=None,
            scale=1.0,
            offset=offset,
            freqs=self._wavelengths(values.shape[-2] + offset),
        )

    def _wavelengths(self, tokens: int) -> mx.array:  # noqa: ARG002 - other kinds depend on it
        return self._freqs


class LongRotation(Rotation):
    """Longrope: other wavelengths once the context is longer than in pretraining."""

    def __init__(self, short: _Waves, long: _Waves, *, original_length: int, traditional: bool) -> None:
        super().__init__(short, traditional=traditional)
        self._long = Rotation(long, traditional=traditional)
        self._original_length = original_length

    def __call__(self, values: mx.array, offset: int = 0) -> mx.array:
        is_long = values.shape[-2] + offset > self._original_length
        rotated: mx.array = self._long(values, offset) if is_long else super().__call__(values, offset)
        return rotated


class DynamicRotation(Rotation):
    """Dynamic scaling: a base that rises once the context is longer than `length` tokens."""

    def __init__(self, dims: int, base: float, factor: float, length: int, *, traditional: bool) -> None:
        super().__init__(_plain_waves(dims, base), traditional=traditional)
        self._base, self._growth, self._length = base, factor, length

    def _wavelengths(self, tokens: int) -> mx.array:
        if tokens <= self._length:
            return self._freqs
        stretch = self._growth * tokens / self._length - (self._growth - 1)
        base = self._base * stretch ** (self.dims / (self.dims - 2))
        return mx.array(_plain_waves(self.dims, base).lengths.astype(np.float32))


def correct_rotation(network: Any, config: Mapping[str, Any]) -> None:
    """Replace the rotations of `network` that differ from the normalized configuration."""
    text = text_section(config) or config
    types = text.get("layer_types") or ()
    for path, module in network.named_modules():
        present = module.get("rope") if isinstance(module, dict) else None
        layer = _layer.search(f"{path}.")
        if present is None or layer is None:
            continue
        index = int(layer[1])
        settings = rotation_of(text, types[index] if index < len(types) else "full_attention")
        if settings is None:
            continue
        needed = _needed(present, text, settings)
        if needed is not None:
            module.rope = needed


def _needed(present: Any, config: Mapping[str, Any], settings: Mapping[str, Any]) -> Rotation | None:
    """Return the rotation that replaces `present`; None if that computes the same."""
    dims = _rotated(present, config, settings)
    if dims is None:
        return None
    base, traditional = float(settings["rope_theta"]), bool(getattr(present, "traditional", False))
    match settings["rope_type"]:
        case "longrope":
            original = int(settings["original_max_position_embeddings"])
            factor, lengths = _long_factor(config, settings, original), _plain_waves(dims, base).lengths
            short, long = (
                # PhiMoE states the factors of what is rotated.
                _Waves(lengths * np.asarray(settings[f"{name}_factor"]), settings.get(f"{name}_mscale") or factor)
                for name in ("short", "long")
            )
            return LongRotation(short, long, original_length=original, traditional=traditional)
        case "dynamic":
            length = int(config["max_position_embeddings"])
            return DynamicRotation(dims, base, float(settings["factor"]), length, traditional=traditional)
        case _:
            waves = _waves(dims, base, settings)
            return None if waves.equals(_present_waves(present)) else Rotation(waves, traditional=traditional)


def _rotated(present: Any, config: Mapping[str, Any], settings: Mapping[str, Any]) -> int | None:
    """Return the number of values per head that are rotated; None if `present` has a form of its own."""
    dims = getattr(present, "dims", None) or getattr(present, "dim", None)
    portion = settings.get("partial_rotary_factor")
    if not isinstance(dims, int) or portion is None or config.get("qk_rope_head_dim"):
        return dims if isinstance(dims, int) else None
    reference = find_reference(str(config.get("model_type")))
    if settings["rope_type"] == "default" and reference and "partial_rotary_factor" not in reference.reads:
        return dims
    head = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    return int(head if settings["rope_type"] == "proportional" else head * portion)


def _waves(dims: int, base: float, settings: Mapping[str, Any]) -> _Waves:
    plain = _plain_waves(dims, base)
    match settings["rope_type"]:
        case "default":
            return plain
        case "linear":
            return _Waves(plain.lengths * float(settings["factor"]))
        case "llama3":
            return _llama3(plain.lengths, settings)
        case "yarn":
            return _yarn(plain.lengths, base, settings)
        case "proportional":
            return _proportional(plain.lengths, settings)
        case other:
            raise ValueError(f"no rotation of type {other!r}")


def _plain_waves(dims: int, base: float) -> _Waves:
    return _Waves(base ** (np.arange(0, dims, 2, dtype=np.float64) / dims))


def _llama3(lengths: NDArray[np.float64], settings: Mapping[str, Any]) -> _Waves:
    factor, original = float(settings["factor"]), float(settings["original_max_position_embeddings"])
    low, high = float(settings["low_freq_factor"]), float(settings["high_freq_factor"])
    turns = original / (2 * math.pi * lengths)
    smooth = np.clip((turns - low) / (high - low), 0, 1)
    return _Waves(lengths / ((1 - smooth) / factor + smooth))


def _yarn(lengths: NDArray[np.float64], base: float, settings: Mapping[str, Any]) -> _Waves:
    factor, original = float(settings["factor"]), float(settings["original_max_position_embeddings"])
    dims = 2 * len(lengths)

    def dimension(turns: float) -> float:
        return dims * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base))

    low, high = dimension(settings.get("beta_fast") or 32), dimension(settings.get("beta_slow") or 1)
    if settings.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, dims - 1)
    ramp = np.clip((np.arange(len(lengths)) - low) / ((high - low) or 0.001), 0, 1)
    return _Waves(1 / (ramp / (factor * lengths) + (1 - ramp) / lengths), _yarn_factor(factor, settings))


def _yarn_factor(factor: float, settings: Mapping[str, Any]) -> float:
    if (stated := settings.get("attention_factor")) is not None:
        return float(stated)
    scale, whole_scale = settings.get("mscale"), settings.get("mscale_all_dim")
    if scale and whole_scale:
        return _attention_scale(factor, scale) / _attention_scale(factor, whole_scale)
    return _attention_scale(factor, 1)


def _attention_scale(factor: float, scale: float) -> float:
    return 1.0 if factor <= 1 else 0.1 * scale * math.log(factor) + 1.0


def _proportional(lengths: NDArray[np.float64], settings: Mapping[str, Any]) -> _Waves:
    rotated = int(settings.get("partial_rotary_factor", 1.0) * 2 * len(lengths) // 2)
    stretched = lengths * float(settings.get("factor", 1.0))
    return _Waves(np.where(np.arange(len(lengths)) < rotated, stretched, np.inf))


def _long_factor(config: Mapping[str, Any], settings: Mapping[str, Any], original: int) -> float:
    if (stated := settings.get("attention_factor")) is not None:
        return float(stated)
    factor = settings.get("factor") or config["max_position_embeddings"] / original
    return 1.0 if factor <= 1 else math.sqrt(1 + math.log(factor) / math.log(original))


def _present_waves(present: Any) -> _Waves | None:
    """Return the wavelengths of one of mlx-lm's rotations; None if they are unknown."""
    if isinstance(present, _nn.RoPE):
        waves = _plain_waves(present.dims, float(present.base))
        return _Waves(waves.lengths / present.scale)
    lengths = getattr(present, "_freqs", None)
    if lengths is None:
        return None
    factor = getattr(present, "mscale", None) or getattr(present, "_scale", None) or 1.0
    return _Waves(np.array(lengths, np.float64), float(factor))
