"""What a quantization has lost, from what was measured of it: three bars, a sentence, and how it is known."""

import math
from dataclasses import dataclass
from pathlib import Path

from mlx_engine.measure.results import Fidelity, FidelityResult, kept_speed, results_of
from mlx_engine.measure.speed_result import SpeedResult
from mlx_engine.measure.words import plus_minus, verdict

_BEST_KL, _WORST_KL = 1e-3, 2.0
"""Nats between which the bar of the distance is empty and full, logarithmically."""
_MOST_TIMES = 4.0
"""So many times as fast as the original fills the bar."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure as a bar; the fuller, the better. `share` goes from 0 to 1, None is not measured."""

    name: str
    words: str
    share: float | None
    mark: float | None = None
    """Where on the bar the original is, if that is not its end."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What is known of one model; `markdown` is a section for its card."""

    sentence: str
    bars: tuple[Bar, Bar, Bar]
    how: str
    markdown: str


def loss_of(model: Path, measurements: Path) -> Loss | None:
    """Return what is kept below `measurements` of the model in the folder `model`; None if nothing is."""
    results = results_of(model, measurements)
    if not results:
        return None
    # With a whole context it is told what the weights have lost, and nothing else.
    result = next((result for result in results if result.cache_bits == 16), results[0])
    speeds = {speed.weights: speed for speed in kept_speed(measurements) if speed.plan.cache_bits == 16}
    times = _times(speeds.get(result.candidate_weights), speeds.get(result.reference_weights))
    return described(result, times)


def described(result: FidelityResult, times: float | None) -> Loss:
    """Put a result into words. `times` is how many times as fast as the original it writes, None if not known."""
    found = result.fidelity
    words = verdict(found)
    distance = words.rpartition("; ")[2]
    sentence = f"{words[0].upper()}{words[1:]}."
    if result.is_stand_in:
        sentence += " An 8-bit copy stood in for the original, so the true loss is at least that."
    bars = (
        Bar("Same next word", f"{100 * found.top1_agreement:.1f} %", found.top1_agreement),
        Bar("Distance", f"{distance} · KL {found.mean_kl:.3f}", _closeness(found.mean_kl)),
        Bar("Speed", _speed_in_words(times), min(times / _MOST_TIMES, 1.0) if times else None, 1 / _MOST_TIMES),
    )
    return Loss(sentence, bars, _how(result), _markdown(result, times, distance, sentence))


def _times(own: SpeedResult | None, original: SpeedResult | None) -> float | None:
    """Compare how fast both write after the shortest context that both were measured at."""
    if own is None or original is None:
        return None
    theirs = {series.tokens: series.median for series in original.decoding}
    return next((one.median / theirs[one.tokens] for one in own.decoding if theirs.get(one.tokens)), None)


def _closeness(kl: float) -> float:
    part = math.log(max(kl, _BEST_KL) / _BEST_KL) / math.log(_WORST_KL / _BEST_KL)
    return max(1.0 - part, 0.0)


def _speed_in_words(times: float | None) -> str:
    if times is None:
        return "not measured"
    return f"{times:.1f} times the original's" if abs(times - 1) >= 0.05 else "the same as the original's"


def _how(result: FidelityResult) -> str:
    corpus = "Facet's texts" if result.corpus.partition(":")[0] == "facet" else result.corpus
    bits = "" if result.cache_bits == 16 else f", its context in {result.cache_bits} bits"
    machine = f" on {result.machine}" if result.machine else ""
    return (
        f"Against {result.reference.rpartition('/')[2]}, {result.fidelity.positions:,} places in {corpus}"
        f"{bits}, {result.created[:10]}{machine}."
    )


def _markdown(result: FidelityResult, times: float | None, distance: str, sentence: str) -> str:
    found = result.fidelity
    tools = ", ".join(f"{name} {version}" for name, version in result.tools.items())
    rows = [*_figures(found, distance), *([("Decoding speed", _speed_in_words(times))] if times else [])]
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
