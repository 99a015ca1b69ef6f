"""The KV cache of layers of one kind, and its size."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

LayerKind = Literal["full", "window", "latent", "state"]
"""Stores every token, the most recent tokens, every token in compressed form, or a state that does not grow."""
GROWTH = 256
"""Tokens by which mlx-lm's caches grow at a time."""


@dataclass(frozen=True, slots=True)
class LayerCache:
    """A number of `layers` of the same kind and size.

    Each stores `token_numbers` values per token, of at most `window` tokens if that is not 0, and `fixed_numbers`
    float32 values regardless of the length.
    """

    kind: LayerKind
    layers: int
    token_numbers: int
    window: int = 0
    fixed_numbers: int = 0

    def reach(self, tokens: int) -> int:
        """Return the number of tokens that these layers allocate for a context of `tokens`."""
        allocated = -(-tokens // GROWTH) * GROWTH
        return min(allocated, self.window) if self.window else allocated

    def size_bytes(self, tokens: int, number_bytes: float) -> int:
        """Return the bytes that these layers allocate for `tokens`, at `number_bytes` per value."""
        return int(self.layers * (self.token_numbers * self.reach(tokens) * number_bytes + 4 * self.fixed_numbers))


def cache_bytes(layout: Sequence[LayerCache], tokens: int, number_bytes: float = 2) -> int:
    """Return the bytes of the KV cache for a context of `tokens`."""
    return sum(layers.size_bytes(tokens, number_bytes) for layers in layout)


def bytes_per_token(layout: Sequence[LayerCache], number_bytes: float = 2) -> int:
    """Return the bytes of each additional token once all windows are full."""
    return int(sum(entry.layers * entry.token_numbers for entry in layout if not entry.window) * number_bytes)
