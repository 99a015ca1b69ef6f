"""What can stand at an axis: how it is called, in which unit, and where a row of a study has it."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mlx_engine.measure.results.results import Fidelity, FidelityResult
from mlx_engine.measure.results.speed_result import Series, SpeedResult
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.study import Row, Study
from mlx_engine.protocol import CacheBits

_USUAL_PROMPT = 512
"""Tokens."""

Unit = Literal["disk", "memory", "bits", "seconds", "tokens/s", "nats", "share", ""]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and how far it may be away: one standard error to both sides, or the extremes of repetitions."""

    value: float
    low: float
    high: float
    is_range: bool = False
    """Whether `low` and `high` are the extremes."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of the study with its context in so many bits; `found` is None where fidelity was not measured.

    The original is its own measure: its `found` is what others found of it.
    """

    row: Row
    name: str
    """Short, for a chart."""
    cache_bits: CacheBits
    found: Fidelity | None
    result: FidelityResult | None = None
    """All that was found of a candidate."""

    @property
    def key(self) -> str:
        """What tells it from all others of the study."""
        return sample_key(self.row.label, self.cache_bits)

    @property
    def is_reference(self) -> bool:
        return self.row.is_original and self.cache_bits == 16


@dataclass(frozen=True, slots=True)
class Quantity:
    key: str
    name: str
    unit: Unit
    less_is_better: bool
    read: Callable[[Sample], Estimate | None]
    is_log: bool = False
    has_error: bool = False
    """Whether it comes with a standard error."""

    @property
    def is_fidelity(self) -> bool:
        """Whether it is of what a model answers, and so of the precision of its context too."""
        return self.unit in ("nats", "share", "")

    @property
    def is_of_speed(self) -> bool:
        """Whether it is found by running a model for its speed."""
        return self.unit in ("tokens/s", "seconds") or self.key == "memory"

    @property
    def in_sentence(self) -> str:
        """Its name within a sentence."""
        return self.name[0].lower() + self.name[1:]

    def of(self, sample: Sample) -> Estimate | None:
        """Return the figure of `sample`; None where there is none, or where it is no number."""
        found = self.read(sample)
        if found is None or not math.isfinite(found.value):
            return None
        return found if math.isfinite(found.low) and math.isfinite(found.high) else exactly(found.value)


def sample_key(label: str, cache_bits: CacheBits) -> str:
    """Return what tells a row with its context in so many bits from all others of the study."""
    return f"{label} {cache_bits}"


def samples(study: Study) -> list[Sample]:
    """Return what was measured, the original first; candidates that have no result yet too."""
    names = short_names(study)
    return [sample for row in study.rows for sample in _samples(study, row, names[row.label])]


def _samples(study: Study, row: Row, name: str) -> Iterator[Sample]:
    if row.is_original:
        yield Sample(row, name, 16, _of_original(study))
    elif not row.fidelity:
        yield Sample(row, name, 16, None)
    for result in row.fidelity:
        yield Sample(row, name + in_precision(result.cache_bits), result.cache_bits, result.fidelity, result)


def _of_original(study: Study) -> Fidelity | None:
    """Return what others found of the original; what a stand-in answered is not its own."""
    results = (result for row in study.rows for result in row.fidelity if not result.is_stand_in)
    return next((result.fidelity for result in results), None)


def in_precision(cache_bits: CacheBits) -> str:
    """Return what follows the name of a model whose context has fewer than 16 bits, as in ", 4-bit context"."""
    return "" if cache_bits == 16 else f", {cache_bits}-bit context"


def exactly(value: float) -> Estimate:
    """Return a figure that has no error."""
    return Estimate(value, value, value)


def _plain(value: float | None) -> Estimate | None:
    return exactly(value) if value else None


def _fidelity(name: str, of_reference: str | float) -> Callable[[Sample], Estimate | None]:
    def read(sample: Sample) -> Estimate | None:
        if sample.is_reference and not isinstance(of_reference, str):
            return exactly(of_reference)
        if sample.found is None:
            return None
        field = of_reference if sample.is_reference else name
        assert isinstance(field, str)  # noqa: S101 - the other case has returned
        value, error = getattr(sample.found, field), getattr(sample.found, f"{field}_se", None) or 0.0
        return Estimate(value, value - error, value + error)

    return read


def _disagreement(sample: Sample) -> Estimate | None:
    agreement = _fidelity("top1_agreement", 1.0)(sample)
    return agreement and Estimate(1 - agreement.value, max(1 - agreement.high, 0.0), 1 - agreement.low)


def _speed(sample: Sample) -> SpeedResult | None:
    """Return the speed, if it was measured with the context in as many bits."""
    speed = sample.row.speed
    return speed if speed and speed.plan.cache_bits == sample.cache_bits else None


def usual_reading(speed: SpeedResult) -> Series | None:
    """Return how fast a prompt of a usual length was read, or the next best."""
    return min(speed.reading, key=lambda series: abs(series.tokens - _USUAL_PROMPT), default=None)


def usual_decoding(speed: SpeedResult) -> Series | None:
    """Return how fast it wrote after the shortest context."""
    return min(speed.decoding, key=lambda series: series.tokens, default=None)


def _rate(read: Callable[[SpeedResult], Series | None]) -> Callable[[Sample], Estimate | None]:
    def of(sample: Sample) -> Estimate | None:
        speed = _speed(sample)
        series = read(speed) if speed else None
        return Estimate(series.median, min(series.values), max(series.values), is_range=True) if series else None

    return of


def _first_token(sample: Sample) -> Estimate | None:
    speed = _speed(sample)
    series = usual_reading(speed) if speed else None
    return _plain(speed.time_to_first_token_s(series)) if speed and series else None


def _peak(sample: Sample) -> Estimate | None:
    speed = _speed(sample)
    return _plain(speed.peak_memory_bytes) if speed else None


def _load(sample: Sample) -> Estimate | None:
    speed = _speed(sample)
    return _plain(speed.load_s[0]) if speed and speed.load_s else None


SIZE = Quantity("size", "Size", "disk", True, lambda sample: _plain(sample.row.size_bytes))
MEMORY = Quantity("memory", "Peak memory", "memory", True, _peak)
DECODING = Quantity("decode", "Decode speed", "tokens/s", False, _rate(usual_decoding))
READING = Quantity("prefill", "Prefill speed", "tokens/s", False, _rate(usual_reading))
MEAN_KL = Quantity(
    "mean_kl", "Mean KL divergence", "nats", True, _fidelity("mean_kl", 0.0), is_log=True, has_error=True
)
PERPLEXITY = Quantity(
    "perplexity", "Perplexity", "", True, _fidelity("perplexity", "reference_perplexity"), has_error=True
)
DISAGREEMENT = Quantity("disagreement", "Next words that differ", "share", True, _disagreement, has_error=True)

QUANTITIES: Sequence[Quantity] = (
    SIZE,
    Quantity("bits", "Bits per weight", "bits", True, lambda sample: _plain(sample.row.bits_per_weight)),
    MEMORY,
    Quantity("load", "Load time", "seconds", True, _load),
    Quantity("first_token", "Time to first token", "seconds", True, _first_token),
    READING,
    DECODING,
    MEAN_KL,
    Quantity("p99_kl", "99th percentile of KL", "nats", True, _fidelity("p99_kl", 0.0), is_log=True),
    PERPLEXITY,
    DISAGREEMENT,
)
"""All, in the order in which they are listed."""
