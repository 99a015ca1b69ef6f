"""Contexts cached between answers, so that the next turn of a conversation prefills only its new tokens.

A new prompt continues the context with the longest common prefix. Several contexts are cached within a limit in bytes;
the least recently used are dropped first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlx_engine.inference.context import Context
from mlx_engine.inference.layers import Layers
from mlx_engine.protocol import CacheBits

_most_contexts = 8
_min_shared_tokens = 64
"""A shorter prefix in common with another conversation is read again rather than copied."""
_min_reported_tokens = 64
"""Fewer tokens read again are not reported."""
_run = 16
"""The number of consecutive equal tokens that make two texts count as the same."""


@dataclass(frozen=True, slots=True)
class Reread:
    """The reason why `tokens` are read a second time.

    The conversation differs from token `differs_at` on; or, if that is None, the model can rewind only to token
    `rewound_to`; or the cached tokens cannot be used for `other_reason`.
    """

    tokens: int
    differs_at: int | None
    rewound_to: int
    other_reason: str = ""

    def describe(self, locate: Callable[[int], str]) -> str:
        """Return a sentence; `locate` names the message that contains a token."""
        head = f"reading {self.tokens:,} tokens again: "
        if self.other_reason:
            return f"{head}{self.other_reason}"
        if self.differs_at is None:
            return f"{head}this kind of model can rewind only to the start of a message, here token {self.rewound_to:,}"
        return f"{head}the conversation differs from token {self.differs_at:,}, in {locate(self.differs_at)}"


class Cache:
    """The contexts of one network, in at most `limit_bytes`; the most recent is retained regardless of its size.

    `obstacle` is the reason why the network needs a 16-bit KV cache; empty if fewer bits may work. Beyond `boundary`
    tokens, the network encodes all positions differently; 0 if it never does.
    """

    def __init__(self, network: Any, limit_bytes: int, *, obstacle: str = "", boundary: int = 0) -> None:
        self._network = network
        self._boundary = boundary
        self._layers = Layers(network, obstacle)
        self._limit_bytes = limit_bytes
        self._contexts: list[Context] = []
        """From the least to the most recently used."""

    def check_out(self, tokens: list[int], bits: CacheBits = 16) -> tuple[Context, Reread | None]:
        """Return a context that has read a prefix of `tokens`, at most all but the last, and the reread if any.

        The context has a KV cache of `bits` per value. It belongs to the caller until `check_in`.

        Raises:
            InvalidParameter: the network does not support a KV cache of this precision.
        """
        is_long = self._is_long(tokens)
        contexts = [context for context in self._contexts if (context.cache_bits, context.is_long) == (bits, is_long)]
        shared = {id(context): _common_prefix(context.tokens, tokens[:-1]) for context in contexts}
        best = max(contexts, key=lambda context: context.reachable(shared[id(context)]), default=None)
        position = best.reachable(shared[id(best)]) if best else 0
        if best is None or position < min(_min_shared_tokens, len(best.tokens) // 2 + 1):
            return Context(self._layers.make(bits), cache_bits=bits, is_long=is_long), self._reread(tokens, 0, bits)
        reread = self._reread(tokens, position, bits)
        if position <= len(best.tokens) // 2:
            return best.fork(self._network, position), reread
        self._contexts.remove(best)
        best.rewind(self._network, position)
        return best, reread

    def check_in(self, context: Context) -> None:
        """Cache the context, and drop the least recently used contexts that no longer fit."""
        self._contexts.append(context)
        while len(self._contexts) > 1 and (len(self._contexts) > _most_contexts or self._size() > self._limit_bytes):
            del self._contexts[0]

    def tokens_left(self, context: Context) -> int | None:
        """Return the number of tokens that can be decoded after `context` before it must restart; None if unlimited.

        The last of them is the first token beyond the boundary.
        """
        if not self._boundary or context.is_long:
            return None
        return self._boundary + 1 - len(context.tokens)

    def restart(self, context: Context) -> Reread:
        """Forget the tokens of `context`, which has passed the boundary; return the reason to read them again."""
        reread = Reread(len(context.tokens), None, 0, self._length_reason())
        context.restart(self._layers.make(context.cache_bits), is_long=True)
        return reread

    def clear(self) -> None:
        """Drop all contexts."""
        self._contexts.clear()

    def _size(self) -> int:
        return sum(context.size_bytes for context in self._contexts)

    def _reread(self, tokens: list[int], position: int, bits: CacheBits) -> Reread | None:
        """Return the number of tokens from `position` on that a cached context has read before, and the reason."""
        if len(tokens) - position < _min_reported_tokens:
            return None
        largest = None
        for context in self._contexts:
            common = _common_prefix(context.tokens, tokens)
            again = _repeated(context.tokens[common:], tokens[common:])
            cut = max(0, common - position)
            if again + cut >= max(_min_reported_tokens, largest.tokens + 1 if largest else 0):
                differs_at = common if again >= cut else None
                largest = Reread(again + cut, differs_at, position, self._obstacle_to(context, tokens, bits))
        return largest

    def _obstacle_to(self, context: Context, tokens: list[int], bits: CacheBits) -> str:
        """Return the reason why `context` cannot be used for `tokens`, apart from the tokens themselves."""
        if context.cache_bits != bits:
            return "they were cached in another precision"
        return self._length_reason() if context.is_long != self._is_long(tokens) else ""

    def _is_long(self, tokens: list[int]) -> bool:
        return 0 < self._boundary < len(tokens)

    def _length_reason(self) -> str:
        return f"this model encodes positions differently in conversations of more than {self._boundary:,} tokens"


def _common_prefix(first: list[int], second: list[int]) -> int:
    """Return the length of the common prefix."""
    length = min(len(first), len(second))
    if first[:length] == second[:length]:
        return length
    return next(index for index in range(length) if first[index] != second[index])


def _repeated(before: list[int], now: list[int]) -> int:
    """Return the number of tokens of `now` in runs that `before` contains too, at most the length of `before`."""
    runs = {tuple(before[start : start + _run]) for start in range(len(before) - _run + 1)}
    count, start = 0, 0
    while start <= len(now) - _run:
        same = tuple(now[start : start + _run]) in runs
        count += _run if same else 0
        start += _run if same else 1
    return min(count, len(before))
