"""What a quantization has lost, from what was measured of it: three bars, a sentence, and how it is known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mlx_engine.amounts import format_number
from mlx_engine.measure.results.results import Fidelity, FidelityResult
from mlx_engine.measure.results.verdicts import plus_minus, verdict
from mlx_engine.models.hub.datasets import is_dataset

_BEST_KL, _WORST_KL = 1e-3, 2.0
"""Nats between which the bar of the distance is empty and full, logarithmically."""
_MOST_TIMES = 4.0
"""So many times as fast as the original fills the bar."""
_MOST_OTHERS = 3


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure as a bar; the fuller, the better. `share` goes from 0 to 1, None is not measured."""

    name: str
    words: str
    share: float | None
    mark: float | None = None
    """Where on the bar the original is, if that is not its end."""


@dataclass(frozen=True, slots=True)
class Speedup:
    """How many `times` as fast as the original it writes; disturbed, if something else was running meanwhile."""

    times: float
    is_disturbed: bool = False

    @property
    def in_words(self) -> str:
        words = "as fast" if abs(self.times - 1) < 0.05 else f"{self.times:.1f} times as fast"
        return f"{words}, disturbed" if self.is_disturbed else words


@dataclass(frozen=True, slots=True)
class Loss:
    """What is known of one model; `markdown` is a section for its card, and `others` what was measured besides.

    `study` is the name of one that has it, "" where none has.
    """

    sentence: str
    bars: tuple[Bar, Bar, Bar]
    how: str
    markdown: str
    others: str = ""
    study: str = ""


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """Why nothing is known of a model, in a sentence; `study` as in `Loss`."""

    sentence: str
    study: str = ""


def described(
    result: FidelityResult, speedup: Speedup | None, others: Sequence[FidelityResult] = (), study: str = ""
) -> Loss:
    """Put a result into words; `speedup` is None if it is not known."""
    found = result.fidelity
    words = verdict(found)
    distance = words.rpartition("; ")[2]
    sentence = f"{words[0].upper()}{words[1:]}."
    if result.is_stand_in:
        sentence += " An 8-bit copy stood in for the original, so the true loss is at least that."
    share = min(speedup.times / _MOST_TIMES, 1.0) if speedup else None
    bars = (
        Bar("Same next word", f"{100 * found.top1_agreement:.1f} %", found.top1_agreement),
        Bar("Distance", f"KL {format_number(found.mean_kl)} · {distance}", _closeness(found.mean_kl)),
        Bar("Speed", speedup.in_words if speedup else "not measured", share, 1 / _MOST_TIMES),
    )
    how = f"{_how(result)} In the study “{study}”." if study else _how(result)
    return Loss(sentence, bars, how, _markdown(result, speedup, distance, sentence), _besides(result, others), study)


def _besides(result: FidelityResult, others: Sequence[FidelityResult]) -> str:
    """Return what else was found, where something else was measured: on another text, or in another precision."""
    told = [
        f"KL {format_number(other.fidelity.mean_kl)} {_difference(other, result)}" for other in others[:_MOST_OTHERS]
    ]
    more = len(others) - len(told)
    return f"Besides: {'; '.join(told)}{f'; and {more} more' if more else ''}." if told else ""


def _difference(other: FidelityResult, result: FidelityResult) -> str:
    bits = f"with its context in {other.cache_bits} bits" if other.cache_bits != result.cache_bits else ""
    text = f"in {_corpus(other)}" if other.corpus != result.corpus else ""
    against = f"against {other.reference.rpartition('/')[2]}" if other.answers != result.answers and not text else ""
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


def _how(result: FidelityResult) -> str:
    bits = "" if result.cache_bits == 16 else f", its context in {result.cache_bits} bits"
    machine = f" on {result.machine}" if result.machine else ""
    return (
        f"Against {result.reference.rpartition('/')[2]}, {result.fidelity.positions:,} places in {_corpus(result)}"
        f"{bits}, {result.created[:10]}{machine}."
    )


def _markdown(result: FidelityResult, speedup: Speedup | None, distance: str, sentence: str) -> str:
    found = result.fidelity
    tools = ", ".join(f"{name} {version}" for name, version in result.tools.items())
    rows = [*_figures(found, distance), *([("Decoding, beside the original", speedup.in_words)] if speedup else [])]
    table = "".join(f"| {name} | {value} |\n" for name, value in rows)
    return (
        f"### What this quantization loses\n\n{sentence}\n\n| against {result.reference} | |\n| --- | ---: |\n{table}\n"
        f"{_how(result)} Read in {result.convention}"
        f"{f'; measured with {tools}' if tools else ''}. KL divergence in nats, ± standard errors by chunk; what is "
        f"left out of it is at most {found.kl_error_bound:.1g}.\n"
    )


def _figures(found: Fidelity, distance: str) -> list[tuple[str, str]]:
    error = found.top1_agreement_se
    agreement = plus_minus(100 * found.top1_agreement, None if error is None else 100 * error, 1)
    return [
        ("Same next word", f"{agreement} %"),
        ("Mean KL divergence", f"{plus_minus(found.mean_kl, found.mean_kl_se, 4)} ({distance})"),
        ("99th percentile of KL", f"{found.p99_kl:.3f}"),
        ("Perplexity", plus_minus(found.perplexity, found.perplexity_se, 2)),
        ("Perplexity of the original", plus_minus(found.reference_perplexity, found.reference_perplexity_se, 2)),
    ]
