"""What is measured of a model's speed, and what was found: values that are kept as JSON."""

import statistics
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mlx_engine.measure.results.conditions import Conditions
from mlx_engine.protocol import CacheBits

FORMAT = 1
"""Of all files with results; those of another are not read."""

Warmth = Literal["cold", "warm", "unknown"]

_Tokens = Annotated[int, Meta(ge=1, le=2**20)]
_most_spread = 0.2
_most_held = 0.05
USUAL_PROMPT_TOKENS = 512
"""Length of the prompt at which models are compared."""


class SpeedPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to measure: reading `prompts`, and decoding `decode_tokens` after `depths`, all in tokens."""

    prompts: tuple[_Tokens, ...] = (128, 512, 2048, 8192)
    depths: tuple[Annotated[int, Meta(ge=0, le=2**20)], ...] = (0, 2048, 8192)
    decode_tokens: _Tokens = 64
    repetitions: Annotated[int, Meta(ge=1, le=100)] = 3
    cache_bits: CacheBits = 16


def spread(values: Sequence[float]) -> float:
    """Return how far the extremes are apart, as a share of the median."""
    return (max(values) - min(values)) / statistics.median(values)


def is_disturbed(values: Sequence[float]) -> bool:
    """Return whether the values lie so far apart that something else must have been running."""
    return spread(values) > _most_spread


class Series(msgspec.Struct, frozen=True):
    """One figure, taken several times: tokens per second at so many `tokens` of prompt or of depth."""

    tokens: int
    values: Annotated[tuple[Annotated[float, Meta(gt=0)], ...], Meta(min_length=1)]
    peak_memory_bytes: int = 0
    """Of MLX, weights included, while this was measured."""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """How far the extremes are apart, as a share of the median."""
        return spread(self.values)

    @property
    def is_disturbed(self) -> bool:
        """Whether the values lie so far apart that something else must have been running."""
        return is_disturbed(self.values)


class SpeedResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and under which conditions."""

    format: int = FORMAT
    model: str
    weights: str
    """Fingerprint of the model's files."""
    plan: SpeedPlan
    load_s: tuple[float, ...]
    """The first time, which may have to read from the disk, and the second time, which is warm."""
    held_share: float | None = None
    """Which share of the weights the system held in memory before the first time; None if it does not say."""
    reading: tuple[Series, ...]
    """Prompt tokens per second, until the first token of the answer is there."""
    decoding: tuple[Series, ...]
    """Generated tokens per second; the `tokens` of each series are what came before."""
    skipped: tuple[str, ...] = ()
    """What was not tried, and why, as the ends of sentences."""
    lacks_memory: bool = False
    """Whether the memory was too small for some of it: the peak is of less than was asked for then."""
    failures: tuple[str, ...] = ()
    """What was tried and failed, likewise."""
    peak_memory_bytes: int
    """Of MLX, while measuring."""
    conditions: Conditions = Conditions()
    machine: str = ""
    created: str = ""
    tools: dict[str, str] = {}

    @property
    def disturbed(self) -> tuple[Series, ...]:
        """The figures that cannot be relied on."""
        return tuple(series for series in (*self.reading, *self.decoding) if series.is_disturbed)

    @property
    def warmth(self) -> Warmth:
        """What the first load was: cold, if nearly nothing of the weights was in memory."""
        if self.held_share is None:
            return "unknown"
        return "cold" if self.held_share <= _most_held else "warm"

    @property
    def decode(self) -> Series | None:
        """Decode speed after the shortest context of the plan."""
        depth = min(self.plan.depths, default=0)
        return next((series for series in self.decoding if series.tokens == depth), None)

    @property
    def prefill(self) -> Series | None:
        """Prefill speed for the prompt of the plan closest to the usual length."""
        prompt = min(self.plan.prompts, key=lambda tokens: abs(tokens - USUAL_PROMPT_TOKENS), default=0)
        return next((series for series in self.reading if series.tokens == prompt), None)

    def time_to_first_token_s(self, series: Series) -> float:
        """Return how long the first token took after a prompt."""
        return series.tokens / series.median
