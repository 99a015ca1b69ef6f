"""Axis scales: positions of values, and round values for ticks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_MIN_RATIO = 6.5
"""Minimum ratio of the ends of a logarithmic scale, so that it has at least two ticks."""
_ZERO = 0.08
"""Share of a logarithmic scale below its low end, reserved for 0."""
_FINEST, _FINER, _FEW = (1, 2, 3, 5, 7), ((1, 2, 5), (1, 3), (1,)), 3
"""Multiples of each power of ten for the ticks of a logarithmic scale: the finest if the next would be too few."""
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Tick:
    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear scale."""

    low: float
    high: float

    def share(self, value: float) -> float:
        """Return the position of `value`, from 0 (low end) to 1 (high end); values beyond an end are clamped."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def ticks(self, most: int) -> list[Tick]:
        """Return as many round values as possible, up to `most`."""
        step = round_step(self.high - self.low, most)
        while len(numbers := self._multiples(step)) > most:
            step = round_step(step * 1.5, 1)
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return [Tick(number * step, f"{number * step:,.{digits}f}") for number in numbers]

    def _multiples(self, step: float) -> range:
        return range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)


@dataclass(frozen=True, slots=True)
class Log:
    """A logarithmic scale; both ends are above 0. With `has_zero`, 0 has a position below the low end."""

    low: float
    high: float
    has_zero: bool = False

    def share(self, value: float) -> float:
        """Return the position of `value`, as in `Linear.share`; 0 and negative values are at 0."""
        if value <= 0:
            return 0.0
        before = _ZERO if self.has_zero else 0.0
        along = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        return before + (1 - before) * min(along, 1.0)

    def ticks(self, most: int) -> list[Tick]:
        """Return powers of ten, with multiples if those are too few, and 0 if it has a position."""
        return [Tick(0.0, "0"), *self._powers(most - 1)] if self.has_zero else self._powers(most)

    def _powers(self, most: int) -> list[Tick]:
        for parts in (*(_FINEST,) * (len(self._multiples(_FINER[0])) < _FEW), *_FINER):
            inside = self._multiples(parts)
            if len(inside) <= most:
                return [Tick(value, text) for value, text in zip(inside, log_labels(inside), strict=True)]
        ticks = inside[:: math.ceil(len(inside) / max(most, 1))]
        return [Tick(value, text) for value, text in zip(ticks, log_labels(ticks), strict=True)]

    def _multiples(self, parts: Sequence[int]) -> list[float]:
        """Return the multiples by `parts` of each power of ten that are on the scale."""
        first, last = math.floor(math.log10(self.low) - 1e-9), math.ceil(math.log10(self.high) + 1e-9)
        values = (part * 10.0**power for power in range(first, last + 1) for part in parts)
        return [value for value in values if self.low * (1 - 1e-9) <= value <= self.high * (1 + 1e-9)]


Scale = Linear | Log


def linear(values: Sequence[float], *, from_zero: bool = False) -> Linear:
    """Return a scale that includes `values` with some margin."""
    low, high = min(values), max(values)
    if from_zero:
        low = min(low, 0.0)
    span = (high - low) or abs(high) or 1.0
    step = round_step(span, 8)
    below = low if from_zero and low == 0 else low - 0.06 * span
    floor = math.floor(below / step) * step
    return Linear(max(floor, 0.0) if low >= 0 else floor, math.ceil((high + 0.06 * span) / step) * step)


def log(values: Sequence[float]) -> Log:
    """Return a scale that includes `values` with some margin, with a position for 0 if one of them is 0."""
    positive = [value for value in values if value > 0] or [1.0]
    least, most = min(positive), max(positive)
    span = max((most / least) ** 0.08, 1.2, math.sqrt(_MIN_RATIO * least / most))
    return Log(least / span, most * span, has_zero=len(positive) < len(values))


def round_step(span: float, parts: int) -> float:
    """Return the smallest of 1, 2 and 5 times a power of ten that divides `span` in no more than `parts`."""
    raw = span / parts
    power = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))


def log_labels(values: Sequence[float]) -> list[str]:
    """Return the labels of `values` in one format: 0.01, or 10⁻⁶ where decimals would be long."""
    if values and (min(values) < 0.99e-4 or max(values) > 1.01e5):
        return [_power(value) for value in values]
    return [f"{value:,.{max(0, -math.floor(math.log10(value) + 1e-9))}f}" for value in values]


def _power(value: float) -> str:
    exponent = math.floor(math.log10(value) + 1e-9)
    factor = round(value / 10.0**exponent)
    power = f"10{str(exponent).translate(_SUPERSCRIPTS)}"
    return power if factor == 1 else f"{factor}·{power}"
