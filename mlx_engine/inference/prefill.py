"""Reading a prompt in steps that are short enough to be stopped between, and long enough to be fast."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import mlx.core as mx
from mlx_lm.generate import generation_stream

from mlx_engine.inference.context import Context
from mlx_engine.models.memory.memory import QUANTIZED_STEP

_aim_s = 0.25
_shortest, _first, _longest = 8, 32, 2048
"""Tokens; the longest is mlx-lm's own step, beyond which nothing gets faster."""


class Reader:
    """Reads prompts with one network, and learns how many tokens it reads in a quarter of a second."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._step = _first

    def read(
        self, context: Context, tokens: list[int], *, boundaries: tuple[int, ...], is_cancelled: Callable[[], bool]
    ) -> Iterator[int]:
        """Let `context` read on to the end of `tokens`, taking snapshots at the `boundaries`; yield how many are read.

        Ends early when cancelled; the context then holds exactly what was read.
        """
        stops = sorted({*(boundaries if context.needs_snapshots else ()), len(tokens)})
        # Quantized keys are read by an attention that writes all scores down.
        longest = _longest if context.cache_bits == 16 else QUANTIZED_STEP
        while (position := len(context.tokens)) < len(tokens) and not is_cancelled():
            end = min([position + min(self._step, longest), *(stop for stop in stops if stop > position)])
            started = time.perf_counter()
            self._read_step(context, tokens[position:end])
            self._learn(end - position, time.perf_counter() - started)
            if end in boundaries:
                context.take_snapshot()
            yield end

    def _read_step(self, context: Context, tokens: list[int]) -> None:
        with mx.stream(generation_stream):
            self._network(mx.array(tokens)[None], cache=context.layers)
            context.evaluate()
        context.tokens += tokens
        mx.clear_cache()

    def _learn(self, tokens: int, elapsed_s: float) -> None:
        """Double the step as long as it stays below the aim, and halve it above; the ends of prompts teach nothing."""
        if elapsed_s > _aim_s * 2:
            self._step = max(_shortest, self._step // 2)
        elif tokens == self._step and elapsed_s < _aim_s / 2:
            self._step = min(_longest, self._step * 2)
