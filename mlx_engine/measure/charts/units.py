"""Figures in words, and the units of an axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mlx_engine.measure.charts.quantities import Estimate, Quantity


@dataclass(frozen=True, slots=True)
class Shown:
    """In which unit a quantity is shown: its value is divided by `divisor`, and `unit` follows it."""

    divisor: float
    unit: str


def shown(quantity: Quantity, values: Sequence[float]) -> Shown:
    """Return the unit that suits the largest of `values`, the same for all of them."""
    largest = max(values, default=0.0)
    match quantity.unit:
        case "bytes":
            return Shown(1e9, "GB") if largest >= 1e9 else Shown(1e6, "MB")
        case "share":
            return Shown(0.01, "%")
        case "seconds":
            return Shown(1.0, "s") if largest >= 1 else Shown(1e-3, "ms")
        case unit:
            return Shown(1.0, unit)


def title(quantity: Quantity, unit: Shown) -> str:
    """Return what is written at an axis."""
    return f"{quantity.name} ({unit.unit})" if unit.unit else quantity.name


def in_words(quantity: Quantity, found: Estimate) -> str:
    """Return a figure with its unit and, where it is known, how far it may be away: "0.0432 ± 0.0011 nats"."""
    unit = shown(quantity, [found.value])
    value, low, high = (part / unit.divisor for part in (found.value, found.low, found.high))
    words = figure(value)
    if low != high:
        around = [f"{part:,.{_digits(value)}f}" for part in ((low, high) if found.is_range else ((high - low) / 2,))]
        words += f" ({' to '.join(around)})" if found.is_range else f" ± {around[0]}"
    return f"{words} {unit.unit}".rstrip()


def figure(value: float) -> str:
    """Return a number with three significant figures."""
    return f"{value:.1e}" if 0 < abs(value) < 1e-4 else f"{value:,.{_digits(value)}f}"


def _digits(value: float) -> int:
    return max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
