"""New caches for the layers of a network, in the precision asked for."""

from typing import Any

import mlx.core as mx
from mlx_lm.models.cache import KVCache, QuantizedKVCache, make_prompt_cache

from mlx_engine.errors import InvalidParameter
from mlx_engine.models.memory.cache_precision import group
from mlx_engine.protocol import CacheBits

# What a network is known to raise that cannot read quantized keys and values.
_foreign_errors = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class Layers:
    """Makes them. A precision is tried out once, before anything depends on it: it must not fail in mid-answer.

    `obstacle` says why the network needs 16 bits, as far as that is known without trying; else it is empty.
    """

    def __init__(self, network: Any, obstacle: str = "") -> None:
        self._network = network
        self._obstacle = obstacle
        self._groups: dict[CacheBits, int] = {}

    def make(self, bits: CacheBits) -> list[Any]:
        """Return empty caches, one a layer.

        Raises:
            InvalidParameter: this network cannot keep its context in so few bits.
        """
        layers = make_prompt_cache(self._network)
        if bits == 16:
            return layers
        if self._obstacle or any(type(layer) is not KVCache for layer in layers):
            raise _refusal(bits, self._obstacle or "Not all of its layers keep the text as keys and values.")
        if bits not in self._groups:
            self._groups[bits] = self._try(bits)
        return [QuantizedKVCache(self._groups[bits], bits) for _ in layers]

    def _try(self, bits: CacheBits) -> int:
        """Read a few tokens with `bits`; return the size of the groups."""
        plain = make_prompt_cache(self._network)
        self._read(plain, 1)
        found = [group(half.shape[-1]) for layer in plain for half in layer.keys_and_values()]
        if not all(found):
            raise _refusal(bits, "The keys of its attention cannot be cut into groups of 32.")
        trial = [QuantizedKVCache(min(found), bits) for _ in plain]
        try:
            self._read(trial, 2)
            self._read(trial, 1)
        except _foreign_errors as error:
            raise _refusal(bits, "The way in which it reads its context needs 16 bits.") from error
        return min(found)

    def _read(self, layers: list[Any], tokens: int) -> None:
        mx.eval(self._network(mx.zeros((1, tokens), dtype=mx.int32), cache=layers))


def _refusal(bits: CacheBits, reason: str) -> InvalidParameter:
    return InvalidParameter(f"This model cannot keep its context in {bits} bits. {reason} Choose 16 bits.")
