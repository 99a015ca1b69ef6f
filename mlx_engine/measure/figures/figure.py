"""The declaration of a figure: its name, meaning and unit, and how to read it from a sample."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from mlx_engine.measure.figures.sample import Sample

Unit = Literal["disk", "memory", "seconds", "tok/s", "nats", "share", ""]
"""`disk` and `memory` are bytes, shown in decimal and in binary units."""
Source = Literal["files", "fidelity", "speed"]
"""The step of a study that measures a figure; `files` needs none."""


@dataclass(frozen=True, slots=True)
class FigureEstimate:
    """A measured value with its standard error, or with the extremes of its repetitions."""

    value: float
    error: float | None = None
    extremes: tuple[float, float] | None = None
    is_disturbed: bool = False
    """Whether the repetitions differ too much for the value to be reliable."""

    @property
    def low(self) -> float:
        """Lower end of the error bar, which does not cross 0: no figure of a chart changes its sign."""
        if self.extremes:
            return self.extremes[0]
        return max(self.value - (self.error or 0.0), min(self.value, 0.0))

    @property
    def high(self) -> float:
        """Upper end of the error bar."""
        return self.extremes[1] if self.extremes else self.value + (self.error or 0.0)


@dataclass(frozen=True, slots=True)
class Figure:
    """A measurement of a model, with the same name and meaning in tables, charts, reports and the terminal."""

    key: str
    """Its name in JSON, CSV and the settings."""
    title: str
    meaning: str
    """One or two sentences."""
    source: Source
    unit: Unit
    read: Callable[[Sample], FigureEstimate | None]
    decimals: int | None = None
    """Least number of decimals in text; None is three significant figures."""
    less_is_better: bool = True
    is_log: bool = False
    """Whether charts always draw it on a logarithmic scale."""
    has_error: bool = False
    """Whether it has a standard error."""
    of_original: float | None = None
    """Value of the original by definition: it does not differ from itself. Charts draw it, tables leave it out."""

    @property
    def title_in_sentence(self) -> str:
        return self.title[0].lower() + self.title[1:]

    def measured(self, sample: Sample) -> FigureEstimate | None:
        """Return the measured value; None if there is none, or if it is not finite."""
        estimate = self.read(sample)
        if estimate is None or not math.isfinite(estimate.value):
            return None
        is_error_finite = estimate.error is None or math.isfinite(estimate.error)
        return estimate if is_error_finite else replace(estimate, error=None)

    def plotted(self, sample: Sample) -> FigureEstimate | None:
        """Return the value that a chart draws."""
        if sample.is_reference and self.of_original is not None:
            return FigureEstimate(self.of_original)
        return self.measured(sample)
