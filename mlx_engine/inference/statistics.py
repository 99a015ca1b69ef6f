"""Counts and times of one answer, from which its statistics come."""

import time

from mlx_engine.protocol import FinishReason, Statistics


class Tally:
    """Created when a request starts; `start_prefill` and `count_token` are called during it."""

    def __init__(self) -> None:
        self._started = self._prefill_started = self._first = self._last = time.perf_counter()
        self._prompt_tokens = self._cached_tokens = 0
        self.generated_tokens = 0

    def start_prefill(self, *, prompt_tokens: int, cached_tokens: int) -> None:
        """Record that prefill starts now."""
        self._prompt_tokens, self._cached_tokens = prompt_tokens, cached_tokens
        self._prefill_started = time.perf_counter()

    def count_token(self) -> None:
        """Record a generated token, visible or not."""
        self._last = time.perf_counter()
        if self.generated_tokens == 0:
            self._first = self._last
        self.generated_tokens += 1

    def statistics(self, finish_reason: FinishReason, *, context_tokens: int, peak_memory_bytes: int) -> Statistics:
        return Statistics(
            prompt_tokens=self._prompt_tokens,
            cached_tokens=self._cached_tokens,
            prefill_tokens_per_s=_rate(self._prompt_tokens - self._cached_tokens, self._first - self._prefill_started),
            time_to_first_token_s=self._first - self._started,
            generated_tokens=self.generated_tokens,
            decode_tokens_per_s=_rate(self.generated_tokens - 1, self._last - self._first),
            effective_tokens_per_s=_rate(self.generated_tokens, self._last - self._prefill_started),
            peak_memory_bytes=peak_memory_bytes,
            context_tokens=context_tokens,
            finish_reason=finish_reason,
        )


def _rate(tokens: int, elapsed_s: float) -> float:
    return tokens / elapsed_s if tokens > 0 and elapsed_s > 0 else 0.0
