"""Rotary position embeddings as transformers computes them.

WORKAROUND(mlx-lm 0.32.2): about 40 of its networks ignore or misread part of the settings. `correct_rotation` compares
each layer of a network with the configuration, and replaces those that differ.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import mlx.core as mx
import numpy as np
from mlx import nn

from mlx_engine.models.configuration.normalize import text_section
from mlx_engine.models.configuration.reference import find_reference
from mlx_engine.models.configuration.rotation import rotation_of
from mlx_engine.networks.waves import Waves, long_waves, plain_waves, waves

_nn: Any = nn
_layer = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.")


class Rotation(_nn.Module):  # type: ignore[misc]
    """Rotates the first `2 * len(lengths)` values of queries and keys."""

    boundary = 0
    """The length in tokens beyond which a context has other waves at all positions; 0 if there is none."""

    def __init__(self, waves: Waves, *, traditional: bool) -> None:
        super().__init__()
        self.dims = 2 * len(waves.lengths)
        self.traditional = traditional
        self.expected_tokens = 0
        self._freqs = _array(waves)
        self._factor = waves.factor

    def __call__(self, values: mx.array, offset: int | mx.array = 0) -> mx.array:
        freqs, factor = self._waves(values.shape[-2], offset)
        if factor != 1.0:
            values = values.at[..., : self.dims].multiply(factor)
        return mx.fast.rope(
            values, self.dims, traditional=self.traditional, base=None, scale=1.0, offset=offset, freqs=freqs
        )

    def _waves(self, tokens: int, offset: int | mx.array) -> tuple[mx.array, float]:  # noqa: ARG002 - for other kinds
        """Return the wavelengths and the factor for `tokens` that follow on `offset` earlier ones."""
        return self._freqs, self._factor

    def _length(self, tokens: int, offset: int | mx.array) -> int:
        """Return the length of the context after these tokens, or the expected length."""
        return max(self.expected_tokens, tokens + int(offset))


class LongRotation(Rotation):
    """Longrope: other waves once the context is longer than `boundary`, the length in pretraining."""

    def __init__(self, short: Waves, long: Waves, *, boundary: int, traditional: bool) -> None:
        super().__init__(short, traditional=traditional)
        self.boundary = boundary
        self._long_freqs = _array(long)
        self._long_factor = long.factor

    def _waves(self, tokens: int, offset: int | mx.array) -> tuple[mx.array, float]:
        is_long = self._length(tokens, offset) > self.boundary
        return (self._long_freqs, self._long_factor) if is_long else (self._freqs, self._factor)


class DynamicRotation(Rotation):
    """Dynamic scaling: a base that rises once the context is longer than `length` tokens.

    As in transformers, tokens that have been read keep the base of that time.
    """

    def __init__(self, dims: int, base: float, factor: float, length: int, *, traditional: bool) -> None:
        super().__init__(plain_waves(dims, base), traditional=traditional)
        self._base, self._growth, self._unscaled_length = base, factor, length

    def _waves(self, tokens: int, offset: int | mx.array) -> tuple[mx.array, float]:
        length = self._length(tokens, offset)
        if length <= self._unscaled_length:
            return self._freqs, self._factor
        stretch = self._growth * length / self._unscaled_length - (self._growth - 1)
        base = self._base * stretch ** (self.dims / (self.dims - 2))
        return _array(plain_waves(self.dims, base)), self._factor


@contextmanager
def expected_length(network: Any, tokens: int) -> Iterator[None]:
    """Read parts of a context as those of a whole of `tokens`: some rotations depend on it, from the start on."""
    rotations = _rotations(network)
    for rotation in rotations:
        rotation.expected_tokens = tokens
    try:
        yield
    finally:
        for rotation in rotations:
            rotation.expected_tokens = 0


def length_boundary(network: Any) -> int:
    """Return the length in tokens beyond which a context must be read again from its start; 0 if there is none."""
    return max((rotation.boundary for rotation in _rotations(network)), default=0)


def _rotations(network: Any) -> list[Rotation]:
    return [module for module in network.modules() if isinstance(module, Rotation)]


def correct_rotation(network: Any, config: Mapping[str, Any]) -> None:
    """Replace the rotations of `network` that differ from the normalized configuration."""
    text = text_section(config) or config
    if find_reference(str(text.get("model_type"))) is None:
        return  # A family that transformers lacks may have other settings, which mlx-lm reads.
    types = text.get("layer_types") or ()
    for path, module in network.named_modules():
        present = module.get("rope") if isinstance(module, dict) else None
        layer = _layer.search(f"{path}.")
        if present is None or layer is None:
            continue
        index = int(layer[1])
        settings = rotation_of(text, types[index] if index < len(types) else "full_attention")
        if settings is None or not isinstance(settings.get("rope_theta"), int | float):
            continue  # Step 3.5 states a base for each layer, which mlx-lm reads.
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
            short, long = long_waves(dims, base, settings, int(config["max_position_embeddings"]))
            boundary = int(settings["original_max_position_embeddings"])
            return LongRotation(short, long, boundary=boundary, traditional=traditional)
        case "dynamic" if not settings.get("alpha"):
            length = int(config["max_position_embeddings"])
            return DynamicRotation(dims, base, float(settings["factor"]), length, traditional=traditional)
        case _:
            needed = waves(dims, base, settings)
            return None if needed.equals(_present_waves(present)) else Rotation(needed, traditional=traditional)


def _rotated(present: Any, config: Mapping[str, Any], settings: Mapping[str, Any]) -> int | None:
    """Return the number of values per head that are rotated; None if `present` has another form."""
    dims = getattr(present, "dims", None) or getattr(present, "dim", None)
    portion = settings.get("partial_rotary_factor")
    if not isinstance(dims, int) or portion is None or config.get("qk_rope_head_dim"):
        return dims if isinstance(dims, int) else None
    reference = find_reference(str(config.get("model_type")))
    if settings["rope_type"] == "default" and reference and "partial_rotary_factor" not in reference.reads:
        return dims
    if settings["rope_type"] == "proportional":  # All values, of which some do not turn.
        return dims
    head = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    return int(head * portion)


def _present_waves(present: Any) -> Waves | None:
    """Return the wavelengths of one of mlx-lm's rotations; None if they are unknown."""
    if isinstance(present, _nn.RoPE):
        return Waves(plain_waves(present.dims, float(present.base)).lengths / present.scale)
    lengths = getattr(present, "_freqs", None)
    if lengths is None:
        return None
    factor = getattr(present, "mscale", None) or getattr(present, "_scale", None) or 1.0
    return Waves(np.array(lengths, np.float64), float(factor))


def _array(waves: Waves) -> mx.array:
    return mx.array(waves.lengths.astype(np.float32))
