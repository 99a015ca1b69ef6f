"""What is said of a model when it is pointed at in a chart: all its figures, and what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlx_engine.measure.charts.quantities import QUANTITIES, Sample, in_precision, samples
from mlx_engine.measure.charts.units import in_words
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.measure.results.verdicts import verdict
from mlx_engine.measure.study.study import Study


@dataclass(frozen=True, slots=True)
class ChartCard:
    """`lines` are the names of figures and the figures; `also` names what is in the same place."""

    title: str
    lines: tuple[tuple[str, str], ...]
    verdict: str = ""
    also: str = ""

    @property
    def sentences(self) -> str:
        return " ".join(filter(None, (self.verdict, f"In the same place: {self.also}." if self.also else "")))


def cards(study: Study) -> Mapping[str, ChartCard]:
    """Return the cards by the key of what is pointed at."""
    return {sample.key: _card(sample) for sample in samples(study)}


def _card(sample: Sample) -> ChartCard:
    known = ((quantity, quantity.of(sample)) for quantity in QUANTITIES)
    return ChartCard(
        title=one_line(sample.row.label) + in_precision(sample.cache_bits),
        lines=tuple((quantity.name, in_words(quantity, found)) for quantity, found in known if found),
        verdict=_sentence(verdict(sample.found)) if sample.found and not sample.is_reference else "",
    )


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."
