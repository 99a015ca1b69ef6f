"""Measured quality loss of a quantization: three bars, a sentence and the method."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlx_engine.amounts import format_number
from mlx_engine.measure.figures.figures import DECODE_SPEED, MEAN_KL, P99_KL, PERPLEXITY, TOP1_AGREEMENT
from mlx_engine.measure.figures.format import format_measured
from mlx_engine.measure.figures.sample import format_precision, sample_of_result
from mlx_engine.measure.report.markdown import table
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.results.safe_characters import sentence
from mlx_engine.measure.results.verdicts import verdict
from mlx_engine.models.hub.datasets import is_dataset

_BEST_KL, _WORST_KL = 1e-3, 2.0
"""Nats at which the KL bar is full and empty, on a logarithmic scale."""
_MAX_SPEEDUP = 4.0
"""Speedup over the original that fills the bar."""
_MAX_OTHERS = 3


@dataclass(frozen=True, slots=True)
class LossBar:
    """A figure as a bar, fuller is better. `share` is from 0 to 1, or None if it was not measured."""

    name: str
    text: str
    share: float | None
    mark: float | None = None
    """Position of the original on the bar, if not at its end."""


@dataclass(frozen=True, slots=True)
class Speedup:
    """Decode speed relative to the original; `is_disturbed` if other load affected the measurement."""

    factor: float
    is_disturbed: bool = False

    @property
    def text(self) -> str:
        text = "same speed" if abs(self.factor - 1) < 0.05 else f"{self.factor:.1f} times as fast"
        return f"{text}, disturbed" if self.is_disturbed else text


@dataclass(frozen=True, slots=True)
class MeasuredLoss:
    """Loss of one model. `markdown` is a section for its card; `other_results` summarizes further results.

    `study` is the name of a study with the model, or "".
    """

    sentence: str
    bars: tuple[LossBar, LossBar, LossBar]
    method: str
    markdown: str
    other_results: str = ""
    study: str = ""


@dataclass(frozen=True, slots=True)
class UnknownLoss:
    """Reason why the loss of a model is unknown; `study` as in `MeasuredLoss`."""

    sentence: str
    study: str = ""


def describe_loss(
    result: FidelityResult, speedup: Speedup | None, other_results: Sequence[FidelityResult] = (), study: str = ""
) -> MeasuredLoss:
    """Describe a result; `speedup` is None if it is unknown."""
    fidelity = result.fidelity
    distance = verdict(fidelity).rpartition("; ")[2]
    summary = sentence(verdict(fidelity))
    if result.is_stand_in:
        summary += " It was compared with an 8-bit copy of the original, so the true loss is at least that."
    share = min(speedup.factor / _MAX_SPEEDUP, 1.0) if speedup else None
    bars = (
        LossBar(TOP1_AGREEMENT.title, f"{100 * fidelity.top1_agreement:.1f}%", fidelity.top1_agreement),
        LossBar(MEAN_KL.title, f"{format_number(fidelity.mean_kl)} · {distance}", _closeness(fidelity.mean_kl)),
        LossBar(DECODE_SPEED.title, speedup.text if speedup else "not measured", share, 1 / _MAX_SPEEDUP),
    )
    method = f"{_method(result)} Study: “{study}”." if study else _method(result)
    return MeasuredLoss(
        summary,
        bars,
        method,
        _markdown(result, speedup, distance, summary),
        _format_other_results(result, other_results),
        study,
    )


def _format_other_results(result: FidelityResult, other_results: Sequence[FidelityResult]) -> str:
    """Return a sentence about results on other texts, at other precisions or against other originals."""
    parts = [
        f"{MEAN_KL.title_in_sentence} {format_number(other.fidelity.mean_kl)} {_difference(other, result)}"
        for other in other_results[:_MAX_OTHERS]
    ]
    more = len(other_results) - len(parts)
    return f"Other results: {'; '.join(parts)}{f'; and {more} more' if more else ''}." if parts else ""


def _difference(other: FidelityResult, result: FidelityResult) -> str:
    bits = f"with a {other.cache_bits}-bit KV cache" if other.cache_bits != result.cache_bits else ""
    text = f"on {_corpus(other)}" if other.corpus != result.corpus else ""
    against = (
        f"against {other.reference.rpartition('/')[2]}"
        if other.reference_key != result.reference_key and not text
        else ""
    )
    return " ".join(filter(None, (text, against, bits)))


def _closeness(kl: float) -> float:
    part = math.log(max(kl, _BEST_KL) / _BEST_KL) / math.log(_WORST_KL / _BEST_KL)
    return max(1.0 - part, 0.0)


def _corpus(result: FidelityResult) -> str:
    name, _, kinds = result.corpus.partition(":")
    if is_dataset(result.corpus):
        dataset, _, commit = result.corpus.rpartition("@")
        return f"{dataset}@{commit[:10]}"
    if name != "facet":
        return result.corpus
    return f"Facet's texts ({kinds.replace('+', ', ')})" if kinds else "Facet's texts"


def _method(result: FidelityResult) -> str:
    machine = f" on {result.machine}" if result.machine else ""
    return (
        f"Compared with {result.reference.rpartition('/')[2]} at {result.fidelity.positions:,} positions of "
        f"{_corpus(result)}{format_precision(result.cache_bits)}, {result.created[:10]}{machine}."
    )


def _markdown(result: FidelityResult, speedup: Speedup | None, distance: str, summary: str) -> str:
    tools = ", ".join(f"{name} {version}" for name, version in result.tools.items())
    rows = [*_figures(result, distance), *([[f"{DECODE_SPEED.title} (original = 1)", speedup.text]] if speedup else [])]
    return (
        f"### Quality loss\n\n{summary}\n\n{table(['Figure', 'Value'], rows)}\n\n"
        f"{_method(result)} Read in {result.convention}{f'; measured with {tools}' if tools else ''}. KL divergence in "
        f"nats, ± standard error by chunk, within {result.fidelity.kl_error_bound:.1g} of the exact value.\n"
    )


def _figures(result: FidelityResult, distance: str) -> list[list[str]]:
    sample = sample_of_result(result)
    original = replace(sample, fidelity=None, reference=result.fidelity)
    rows = [[figure.title, format_measured(figure, sample)] for figure in (TOP1_AGREEMENT, MEAN_KL, P99_KL, PERPLEXITY)]
    rows[1][1] += f" ({distance})"
    return [*rows, [f"{PERPLEXITY.title} of the original", format_measured(PERPLEXITY, original)]]
