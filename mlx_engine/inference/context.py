"""The tokens that a network has processed, and the resulting state of each layer.

Plain attention stores every token and can be trimmed to any position. A sliding window drops tokens, and a recurrent
state cannot be reversed: such layers are rewound to snapshots, which are taken at message boundaries.
"""

import copy
from dataclasses import dataclass, field, replace
from typing import Any

import mlx.core as mx
from mlx.utils import tree_map
from mlx_lm.models.cache import CacheList, ConcatenateKVCache, KVCache, QuantizedKVCache, make_prompt_cache

from mlx_engine.protocol import CacheBits

_max_snapshots = 4
"""Two messages' worth: enough to regenerate or edit the last two turns."""


@dataclass(slots=True)
class Context:
    """mlx-lm's caches (`layers`) after reading `tokens`; both grow as the network reads.

    `snapshots` maps numbers of tokens read to copies of the layers that cannot be trimmed. MLX copies an array only
    when it is changed, so a snapshot costs nothing until the network reads further.
    """

    layers: list[Any]
    tokens: list[int] = field(default_factory=list)
    snapshots: dict[int, dict[int, Any]] = field(default_factory=dict)
    cache_bits: CacheBits = 16
    is_long: bool = False
    """The tokens were read as part of a context beyond the network's length boundary (`networks.rotation`)."""

    @classmethod
    def empty(cls, network: Any) -> "Context":
        return cls(make_prompt_cache(network))

    @property
    def size_bytes(self) -> int:
        copies = [layer for snapshot in self.snapshots.values() for layer in snapshot.values()]
        return sum(layer.nbytes for layer in self.layers + copies)

    @property
    def needs_snapshots(self) -> bool:
        return not all(map(_is_plain, self.layers))

    def take_snapshot(self) -> None:
        """Save the current state, dropping the oldest snapshot if there are too many."""
        layers = {index: copy.deepcopy(layer) for index, layer in enumerate(self.layers) if not _is_plain(layer)}
        if layers:
            self.snapshots[len(self.tokens)] = layers
            while len(self.snapshots) > _max_snapshots:
                del self.snapshots[min(self.snapshots)]

    def reachable(self, position: int) -> int:
        """Return the last position up to `position`, in tokens, to which this context can rewind."""
        if position >= len(self.tokens) or all(map(_can_trim, self.layers)):
            return min(position, len(self.tokens))
        return max((length for length in self.snapshots if length <= position), default=0)

    def rewind(self, network: Any, position: int) -> None:
        """Drop all tokens after `position`, which must be reachable."""
        cut = len(self.tokens) - position
        snapshot = self.snapshots.get(position, {})
        if all(map(_can_trim, self.layers)):
            for layer in self.layers if cut else ():
                layer.trim(cut)
        elif position == 0:
            self.layers = make_prompt_cache(network)
        elif cut:
            for index, layer in enumerate(self.layers):
                if index in snapshot:
                    self.layers[index] = copy.deepcopy(snapshot[index])
                else:
                    layer.trim(cut)
        del self.tokens[position:]
        self.snapshots = {length: layers for length, layers in self.snapshots.items() if length <= position}

    def fork(self, network: Any, position: int) -> "Context":
        """Return a context of the first `position` tokens, and leave this context unchanged."""
        fork = replace(
            self, layers=copy.deepcopy(self.layers), tokens=list(self.tokens), snapshots=dict(self.snapshots)
        )
        fork.rewind(network, position)
        for layer in fork.layers:
            if type(layer) in _growing:  # The buffers are shared with the original: copy only the part in use.
                layer.keys, layer.values = tree_map(mx.contiguous, layer.keys_and_values())
        return fork

    def restart(self, layers: list[Any], *, is_long: bool) -> None:
        """Forget all tokens; `layers` are empty caches."""
        self.layers, self.is_long = layers, is_long
        self.tokens.clear()
        self.snapshots.clear()

    def evaluate(self) -> None:
        """Evaluate the lazy state of the layers."""
        mx.eval([layer.state for layer in self.layers])


_growing = (KVCache, QuantizedKVCache)
"""Layers whose buffers are longer than the part in use."""
_plain = (KVCache, QuantizedKVCache, ConcatenateKVCache)
"""Layers that store every token."""


def _is_plain(layer: Any) -> bool:
    if type(layer) is CacheList:
        return all(map(_is_plain, layer.caches))
    return type(layer) in _plain


def _can_trim(layer: Any) -> bool:
    """Return whether the layer still stores every token.

    A chunked cache reports that it is trimmable even after it has dropped some.
    """
    if type(layer) is CacheList:
        return all(map(_can_trim, layer.caches))
    return bool(layer.is_trimmable()) and not getattr(layer, "start_position", 0)
