"""Tooltips for models in a chart: all figures and their meaning."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlx_engine.measure.figures.figures import CHART_FIGURES
from mlx_engine.measure.figures.format import format_figure
from mlx_engine.measure.figures.sample import Sample, format_precision, samples
from mlx_engine.measure.results.safe_characters import one_line, sentence
from mlx_engine.measure.results.verdicts import verdict
from mlx_engine.measure.study.study import Study


@dataclass(frozen=True, slots=True)
class ChartCard:
    """`lines` are titles and values of figures; `also` names the models in the same place."""

    title: str
    lines: tuple[tuple[str, str], ...]
    verdict: str = ""
    also: str = ""

    @property
    def sentences(self) -> str:
        return " ".join(filter(None, (self.verdict, f"In the same place: {self.also}." if self.also else "")))


def cards(study: Study) -> Mapping[str, ChartCard]:
    """Return the cards by the key of their samples."""
    return {sample.key: _card(sample) for sample in samples(study)}


def _card(sample: Sample) -> ChartCard:
    estimates = ((figure, figure.plotted(sample)) for figure in CHART_FIGURES)
    return ChartCard(
        title=one_line(sample.row.label) + format_precision(sample.cache_bits),
        lines=tuple((figure.title, format_figure(figure, estimate)) for figure, estimate in estimates if estimate),
        verdict=sentence(verdict(sample.fidelity)) if sample.fidelity else "",
    )
