"""Prefill in steps that are short enough to cancel in between, and long enough to be fast."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import mlx.core as mx
from mlx_lm.generate import generation_stream

from mlx_engine.inference.context import Context
from mlx_engine.models.memory.memory import QUANTIZED_STEP

_aim_s = 0.25
_shortest, _first, _longest = 8, 32, 2048
"""In tokens. The longest is mlx-lm's step, beyond which prefill does not get faster."""


class Reader:
    """Reads prompts with one network, in steps that adapt to take about a quarter of a second."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self._step = _first

    def read(
        self, context: Context, tokens: list[int], *, boundaries: tuple[int, ...], is_cancelled: Callable[[], bool]
    ) -> Iterator[int]:
        """Read `tokens` into `context` from its present length on; yield the number of tokens read so far.

        Snapshots are taken at the `boundaries`. Ends early on cancellation; the context then holds exactly the tokens
        read until then.
        """
        stops = sorted({*(boundaries if context.needs_snapshots else ()), len(tokens)})
        # Attention over quantized keys materializes all scores.
        longest = _longest if context.cache_bits == 16 else QUANTIZED_STEP
        while (position := len(context.tokens)) < len(tokens) and not is_cancelled():
            end = min([position + min(self._step, longest), *(stop for stop in stops if stop > position)])
            started = time.perf_counter()
            self._read_step(context, tokens[position:end])
            self._adapt(end - position, time.perf_counter() - started)
            if end in boundaries:
                context.take_snapshot()
            yield end

    def _read_step(self, context: Context, tokens: list[int]) -> None:
        with mx.stream(generation_stream):
            self._network(mx.array(tokens)[None], cache=context.layers)
            context.evaluate()
        context.tokens += tokens
        mx.clear_cache()

    def _adapt(self, tokens: int, elapsed_s: float) -> None:
        """Double the step while it is faster than the target, and halve it when slower; ignore the ends of prompts."""
        if elapsed_s > _aim_s * 2:
            self._step = max(_shortest, self._step // 2)
        elif tokens == self._step and elapsed_s < _aim_s / 2:
            self._step = min(_longest, self._step * 2)
