"""Plans and results of speed measurements, stored as JSON."""

import statistics
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mlx_engine.measure.results.conditions import Conditions
from mlx_engine.protocol import CacheBits

FORMAT = 1
"""Version of all result files; others are ignored."""

Warmth = Literal["cold", "warm", "unknown"]

_Tokens = Annotated[int, Meta(ge=1, le=2**20)]
_MAX_SPREAD = 0.2
_MAX_COLD_SHARE = 0.05
USUAL_PROMPT_TOKENS = 512
"""Length of the prompt at which models are compared."""
WARM_UP_TOKENS = 2048
"""Longest warm-up before a prompt is measured. Longer prompts are read in steps of the same shapes."""


class SpeedPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rates to measure: prefill of `prompts`, and decoding `decode_tokens` after `depths`, all in tokens."""

    prompts: tuple[_Tokens, ...] = (128, 512, 2048, 8192)
    depths: tuple[Annotated[int, Meta(ge=0, le=2**20)], ...] = (0, 2048, 8192)
    decode_tokens: _Tokens = 64
    repetitions: Annotated[int, Meta(ge=1, le=100)] = 3
    cache_bits: CacheBits = 16


def spread(values: Sequence[float]) -> float:
    """Return (maximum - minimum) / median."""
    return (max(values) - min(values)) / statistics.median(values)


def is_disturbed(values: Sequence[float]) -> bool:
    """Return whether the spread is so large that something else must have been running."""
    return spread(values) > _MAX_SPREAD


class RateSeries(msgspec.Struct, frozen=True):
    """Repetitions of one rate: tokens per second, for a prompt or after a context of `tokens`."""

    tokens: int
    values: Annotated[tuple[Annotated[float, Meta(gt=0)], ...], Meta(min_length=1)]
    peak_memory_bytes: int = 0
    """Of MLX during these repetitions, weights included."""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """(maximum - minimum) / median."""
        return spread(self.values)

    @property
    def is_disturbed(self) -> bool:
        """True if the spread is so large that something else must have been running."""
        return is_disturbed(self.values)


class SpeedResult(msgspec.Struct, frozen=True, kw_only=True):
    """Speed of a model, and the conditions during the measurement."""

    format: int = FORMAT
    model: str
    weights: str
    """Fingerprint of the model's files."""
    plan: SpeedPlan
    load_s: tuple[float, ...]
    """Of the first load, which may read from the disk, and of the second, which is warm."""
    resident_share: float | None = None
    """Share of the weights that was in the page cache before the first load, None if unknown."""
    prefill_rates: tuple[RateSeries, ...]
    """Prompt tokens per second, up to the first generated token."""
    decode_rates: tuple[RateSeries, ...]
    """Generated tokens per second; `tokens` is the context before."""
    skipped: tuple[str, ...] = ()
    """Parts that were not tried, each with its reason."""
    lacks_memory: bool = False
    """Whether memory was too small for a part of the plan, so that the peak is too low."""
    failures: tuple[str, ...] = ()
    """Parts that failed, each with its reason."""
    peak_memory_bytes: int
    """Of MLX during the measurement."""
    conditions: Conditions = Conditions()
    machine: str = ""
    created: str = ""
    tools: dict[str, str] = {}

    @property
    def disturbed(self) -> tuple[RateSeries, ...]:
        """The unreliable rates."""
        return tuple(series for series in (*self.prefill_rates, *self.decode_rates) if series.is_disturbed)

    @property
    def warmth(self) -> Warmth:
        """State of the first load: cold if almost none of the weights was in memory."""
        if self.resident_share is None:
            return "unknown"
        return "cold" if self.resident_share <= _MAX_COLD_SHARE else "warm"

    @property
    def decode(self) -> RateSeries | None:
        """Decode speed after the shortest context of the plan."""
        depth = min(self.plan.depths, default=0)
        return next((series for series in self.decode_rates if series.tokens == depth), None)

    @property
    def prefill(self) -> RateSeries | None:
        """Prefill speed for the prompt of the plan closest to the usual length."""
        prompt = min(self.plan.prompts, key=lambda tokens: abs(tokens - USUAL_PROMPT_TOKENS), default=0)
        return next((series for series in self.prefill_rates if series.tokens == prompt), None)

    def time_to_first_token_s(self, series: RateSeries) -> float:
        """Return how long the first token took after a prompt."""
        return series.tokens / series.median
