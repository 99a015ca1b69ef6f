"""What the network has read and still remembers: token ids, and the state of each layer after them.

Plain attention keeps every token and can be cut back to any of them. A sliding window forgets, and a recurrent state
cannot be undone: of such layers a snapshot is kept at the boundaries of messages, and going back means going to one.
"""

import copy
from dataclasses import dataclass, field
from typing import Any

import mlx.core as mx
from mlx.utils import tree_map
from mlx_lm.models.cache import CacheList, ConcatenateKVCache, KVCache, QuantizedKVCache, make_prompt_cache

from mlx_engine.protocol import CacheBits

_most_snapshots = 4
"""Two messages' worth: enough to answer again, or to edit, the last message and the one before it."""


@dataclass(slots=True)
class Context:
    """`layers` are mlx-lm's caches after reading `tokens`; both change as the network reads on.

    `snapshots` holds, by the number of tokens read, copies of those layers that cannot be cut back. MLX copies an array
    only when it is changed, so a snapshot costs nothing until the network reads on.
    """

    layers: list[Any]
    tokens: list[int] = field(default_factory=list)
    snapshots: dict[int, dict[int, Any]] = field(default_factory=dict)
    cache_bits: CacheBits = 16

    @classmethod
    def empty(cls, network: Any) -> "Context":
        return cls(make_prompt_cache(network))

    @property
    def size_bytes(self) -> int:
        kept = [layer for snapshot in self.snapshots.values() for layer in snapshot.values()]
        return sum(layer.nbytes for layer in self.layers + kept)

    @property
    def needs_snapshots(self) -> bool:
        return not all(map(_is_plain, self.layers))

    def take_snapshot(self) -> None:
        """Remember the present position, dropping the oldest one if there are too many."""
        layers = {index: copy.deepcopy(layer) for index, layer in enumerate(self.layers) if not _is_plain(layer)}
        if layers:
            self.snapshots[len(self.tokens)] = layers
            while len(self.snapshots) > _most_snapshots:
                del self.snapshots[min(self.snapshots)]

    def reachable(self, position: int) -> int:
        """Return the last position up to `position`, in tokens, to which this context can go back."""
        if position >= len(self.tokens) or all(map(_can_be_cut, self.layers)):
            return min(position, len(self.tokens))
        return max((one for one in self.snapshots if one <= position), default=0)

    def go_back(self, network: Any, position: int) -> None:
        """Forget all after `position`, which must be reachable."""
        cut = len(self.tokens) - position
        snapshot = self.snapshots.get(position, {})
        if all(map(_can_be_cut, self.layers)):
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
        self.snapshots = {one: layers for one, layers in self.snapshots.items() if one <= position}

    def fork(self, network: Any, position: int) -> "Context":
        """Return a context of the first `position` tokens, and leave this one as it is."""
        fork = Context(copy.deepcopy(self.layers), list(self.tokens), dict(self.snapshots), self.cache_bits)
        fork.go_back(network, position)
        for layer in fork.layers:
            if type(layer) in _growing:  # Shares its buffers with the original: take only what is used of them.
                layer.keys, layer.values = tree_map(mx.contiguous, layer.keys_and_values())
        return fork

    def evaluate(self) -> None:
        """Compute what is still pending of the layers' states."""
        mx.eval([layer.state for layer in self.layers])


_growing = (KVCache, QuantizedKVCache)
"""Layers that hold buffers longer than what is used of them."""
_plain = (KVCache, QuantizedKVCache, ConcatenateKVCache)
"""Layers that hold every token."""


def _is_plain(layer: Any) -> bool:
    if type(layer) is CacheList:
        return all(map(_is_plain, layer.caches))
    return type(layer) in _plain


def _can_be_cut(layer: Any) -> bool:
    """Return whether the layer still holds every token. A chunked cache says so even after it has dropped some."""
    if type(layer) is CacheList:
        return all(map(_can_be_cut, layer.caches))
    return bool(layer.is_trimmable()) and not getattr(layer, "start_position", 0)
