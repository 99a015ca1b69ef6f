"""New KV caches for the layers of a network, in the requested precision."""

from typing import Any

import mlx.core as mx
from mlx_lm.models.cache import KVCache, QuantizedKVCache, make_prompt_cache

from mlx_engine.errors import InvalidParameter
from mlx_engine.models.memory.cache_precision import group
from mlx_engine.protocol import CacheBits

# The exceptions that networks without support for quantized keys and values are known to raise.
_foreign_errors = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class Layers:
    """Makes caches. Each precision is tried once beforehand, so that it cannot fail in the middle of an answer.

    `obstacle` is the reason why the network needs 16 bits, if the configuration gives one; else it is empty.
    """

    def __init__(self, network: Any, obstacle: str = "") -> None:
        self._network = network
        self._obstacle = obstacle
        self._groups: dict[CacheBits, int] = {}

    def make(self, bits: CacheBits) -> list[Any]:
        """Return empty caches, one for each layer.

        Raises:
            InvalidParameter: this network does not support a KV cache of this precision.
        """
        layers = make_prompt_cache(self._network)
        if bits == 16:
            return layers
        if self._obstacle or any(type(layer) is not KVCache for layer in layers):
            raise _refusal(bits, self._obstacle or "Some of its layers do not store keys and values.")
        if bits not in self._groups:
            self._groups[bits] = self._try(bits)
        return [QuantizedKVCache(self._groups[bits], bits) for _ in layers]

    def _try(self, bits: CacheBits) -> int:
        """Read a few tokens with caches of `bits`; return the group size."""
        plain = make_prompt_cache(self._network)
        self._read(plain, 1)
        groups = [group(half.shape[-1]) for layer in plain for half in layer.keys_and_values()]
        if not all(groups):
            raise _refusal(bits, "Its attention keys cannot be divided into groups of 32.")
        trial = [QuantizedKVCache(min(groups), bits) for _ in plain]
        try:
            self._read(trial, 2)
            self._read(trial, 1)
        except _foreign_errors as error:
            raise _refusal(bits, "Its attention reads only 16-bit keys and values.") from error
        return min(groups)

    def _read(self, layers: list[Any], tokens: int) -> None:
        mx.eval(self._network(mx.zeros((1, tokens), dtype=mx.int32), cache=layers))


def _refusal(bits: CacheBits, reason: str) -> InvalidParameter:
    return InvalidParameter(f"This model doesn't support a KV cache of {bits} bits. {reason} Choose 16 bits.")
