"""Figures as text: one unit for a whole column or axis, and one rule for digits and errors."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mlx_engine.amounts import DISK_GB, MEMORY_GB, format_number, significant_decimals
from mlx_engine.measure.figures.figure import Figure, FigureEstimate
from mlx_engine.measure.figures.figures import FIGURES
from mlx_engine.measure.figures.sample import Sample


@dataclass(frozen=True, slots=True)
class DisplayUnit:
    """The unit of a displayed figure, whose value is divided by `divisor`."""

    divisor: float
    name: str

    @property
    def suffix(self) -> str:
        """The unit as it follows a number."""
        return self.name if self.name in ("", "%") else f" {self.name}"


def display_unit(figure: Figure, values: Iterable[float]) -> DisplayUnit:
    """Return the unit that suits the largest of `values`."""
    largest = max(values, default=0.0)
    match figure.unit:
        case "disk":
            return DisplayUnit(DISK_GB, "GB") if largest >= DISK_GB else DisplayUnit(DISK_GB / 1000, "MB")
        case "memory":
            return DisplayUnit(MEMORY_GB, "GB") if largest >= MEMORY_GB else DisplayUnit(MEMORY_GB / 1024, "MB")
        case "share":
            return DisplayUnit(0.01, "%")
        case "seconds":
            return DisplayUnit(1.0, "s") if largest >= 1 else DisplayUnit(1e-3, "ms")
        case unit:
            return DisplayUnit(1.0, unit)


def heading(figure: Figure, unit: DisplayUnit) -> str:
    """Return the title with the unit, for a column or an axis: "Size (MB)"."""
    return f"{figure.title} ({unit.name})" if unit.name else figure.title


@dataclass(frozen=True, slots=True)
class FigureColumn:
    """A figure in a table, with one unit for all rows."""

    figure: Figure
    unit: DisplayUnit

    @property
    def heading(self) -> str:
        return heading(self.figure, self.unit)

    def text(self, sample: Sample) -> str:
        """Return the content of a cell, without the unit; "" if it is not measured."""
        estimate = self.figure.measured(sample)
        return _number(self.figure, estimate, self.unit) if estimate else ""


def columns(samples: Sequence[Sample], figures: Sequence[Figure] = FIGURES) -> tuple[FigureColumn, ...]:
    """Return the columns of a table of `samples`, in the units that suit them."""
    return tuple(FigureColumn(figure, _common_unit(figure, samples)) for figure in figures)


def _common_unit(figure: Figure, samples: Iterable[Sample]) -> DisplayUnit:
    estimates = filter(None, map(figure.measured, samples))
    return display_unit(figure, (estimate.value for estimate in estimates))


def format_figure(figure: Figure, estimate: FigureEstimate) -> str:
    """Format a value with its error or extremes and its unit: "0.0432 ± 0.0011 nats", "88.1 (86.0 to 90.2) tok/s"."""
    unit = display_unit(figure, [estimate.value])
    number = _number(figure, estimate, unit)
    if estimate.extremes and estimate.low != estimate.high:
        decimals = significant_decimals(estimate.value / unit.divisor)
        low, high = (f"{end / unit.divisor:,.{decimals}f}" for end in estimate.extremes)
        number += f" ({low} to {high})"
    return f"{number}{unit.suffix}"


def format_measured(figure: Figure, sample: Sample) -> str:
    """Format the figure of a sample as `format_figure` does; "" if it is not measured."""
    estimate = figure.measured(sample)
    return format_figure(figure, estimate) if estimate else ""


def format_error(value: float, error: float, decimals: int) -> str:
    """Format a value with its standard error, with more decimals where the error is below the last: "0.043 ± 0.002"."""
    if error == 0 or not math.isfinite(error):
        return f"{value:z,.{decimals}f} ± {error:.0f}"
    decimals = max(decimals, -math.floor(math.log10(error)))
    return f"{value:z,.{decimals}f} ± {error:,.{decimals}f}"


def _number(figure: Figure, estimate: FigureEstimate, unit: DisplayUnit) -> str:
    """Format a value and its error in `unit`, with a star if it is disturbed."""
    # A divergence is never negative, but rounding can make that of identical models so.
    value = max(estimate.value, 0.0) if figure.unit == "nats" else estimate.value / unit.divisor
    star = "*" if estimate.is_disturbed else ""
    if estimate.error is not None:
        decimals = significant_decimals(value) if figure.decimals is None else figure.decimals
        return format_error(value, estimate.error / unit.divisor, decimals) + star
    if figure.decimals is None or 0 < abs(value) < 10**-figure.decimals:
        return format_number(value) + star
    return f"{value:z,.{figure.decimals}f}{star}"
