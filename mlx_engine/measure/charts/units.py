"""Figures in words, and the units of an axis."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlx_engine.amounts import DISK_GB, MEMORY_GB, format_number, significant_decimals
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
        case "disk":
            return Shown(DISK_GB, "GB") if largest >= DISK_GB else Shown(DISK_GB / 1000, "MB")
        case "memory":
            return Shown(MEMORY_GB, "GB") if largest >= MEMORY_GB else Shown(MEMORY_GB / 1024, "MB")
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
    words = format_number(value)
    if low != high:
        around = [
            f"{part:,.{significant_decimals(value)}f}"
            for part in ((low, high) if found.is_range else ((high - low) / 2,))
        ]
        words += f" ({' to '.join(around)})" if found.is_range else f" ± {around[0]}"
    return f"{words} {unit.unit}".rstrip()
