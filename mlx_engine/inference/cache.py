"""The contexts that are kept between answers, so that a conversation's next turn reads only what is new.

A new prompt continues the context that begins with the same tokens. Several are kept, the least recently used ones
dropped first, as long as they fit into a number of bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlx_engine.inference.context import Context
from mlx_engine.inference.layers import Layers
from mlx_engine.protocol import CacheBits

_most_contexts = 8
_worth_sharing = 64
"""Tokens below which a beginning that another conversation has too is rather read again than copied."""
_worth_telling = 64
"""Tokens below which reading again goes unmentioned."""
_run = 16
"""Tokens in a row that must be the same for a text to count as the same."""


@dataclass(frozen=True, slots=True)
class Reread:
    """`tokens` that had been read are read again, because the conversation differs from token `differs_at`, or, if it
    does not, because the model can go back only to token `back_to`, or because they are kept in `other_bits`.
    """

    tokens: int
    differs_at: int | None
    back_to: int
    other_bits: bool = False

    def in_words(self, place: Callable[[int], str]) -> str:
        """Return a sentence; `place` says in words where in the conversation a token is."""
        head = f"reading {self.tokens:,} tokens again: "
        if self.other_bits:
            return f"{head}they were kept in another precision"
        if self.differs_at is None:
            return f"{head}this kind of model can go back only to where a message began, here token {self.back_to:,}"
        return f"{head}the conversation differs from token {self.differs_at:,}, in {place(self.differs_at)}"


class Cache:
    """The contexts of one network, in at most `limit_bytes`; the one used last is kept whatever its size.

    `obstacle` says why the network keeps them in 16 bits only; empty if it may do with fewer.
    """

    def __init__(self, network: Any, limit_bytes: int, *, obstacle: str = "") -> None:
        self._network = network
        self._layers = Layers(network, obstacle)
        self._limit_bytes = limit_bytes
        self._contexts: list[Context] = []
        """The least recently used first."""

    def take(self, tokens: list[int], bits: CacheBits = 16) -> tuple[Context, Reread | None]:
        """Return a context that has read the beginning of `tokens`, at most all but the last, and what is read again.

        The context belongs to the caller until it is given back by `keep`. It keeps what it reads in so many `bits`.

        Raises:
            InvalidParameter: the network cannot keep its context in so few bits.
        """
        alike = [one for one in self._contexts if one.cache_bits == bits]
        shared = {id(one): _common(one.tokens, tokens[:-1]) for one in alike}
        best = max(alike, key=lambda one: one.reachable(shared[id(one)]), default=None)
        position = best.reachable(shared[id(best)]) if best else 0
        if best is None or position < min(_worth_sharing, len(best.tokens) // 2 + 1):
            return Context(self._layers.make(bits), cache_bits=bits), self._reread(tokens, 0, bits)
        reread = self._reread(tokens, position, bits)
        if position <= len(best.tokens) // 2:
            return best.fork(self._network, position), reread
        self._contexts.remove(best)
        best.go_back(self._network, position)
        return best, reread

    def keep(self, context: Context) -> None:
        """Keep the context for later, and drop the least recently used ones that no longer fit."""
        self._contexts.append(context)
        while len(self._contexts) > 1 and (len(self._contexts) > _most_contexts or self._size() > self._limit_bytes):
            del self._contexts[0]

    def clear(self) -> None:
        """Forget everything."""
        self._contexts.clear()

    def _size(self) -> int:
        return sum(context.size_bytes for context in self._contexts)

    def _reread(self, tokens: list[int], position: int, bits: CacheBits) -> Reread | None:
        """Return how many of the tokens from `position` on one of the contexts has read before, and why."""
        if len(tokens) - position < _worth_telling:
            return None
        found = None
        for context in self._contexts:
            common = _common(context.tokens, tokens)
            again = _repeated(context.tokens[common:], tokens[common:])
            cut = max(0, common - position)
            if again + cut >= max(_worth_telling, found.tokens + 1 if found else 0):
                differs_at = common if again >= cut else None
                found = Reread(again + cut, differs_at, position, other_bits=context.cache_bits != bits)
        return found


def _common(first: list[int], second: list[int]) -> int:
    """Return how many tokens at the beginning of both are the same."""
    length = min(len(first), len(second))
    if first[:length] == second[:length]:
        return length
    return next(index for index in range(length) if first[index] != second[index])


def _repeated(before: list[int], now: list[int]) -> int:
    """Return how many tokens of `now` are part of a run that is also in `before`, at most as many as were read."""
    runs = {tuple(before[start : start + _run]) for start in range(len(before) - _run + 1)}
    count, start = 0, 0
    while start <= len(now) - _run:
        same = tuple(now[start : start + _run]) in runs
        count += _run if same else 0
        start += _run if same else 1
    return min(count, len(before))
