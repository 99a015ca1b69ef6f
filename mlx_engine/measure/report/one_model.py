"""What was measured of one model, a line a figure: for its card, and for whoever pastes it somewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlx_engine.amounts import format_memory, format_number
from mlx_engine.measure.report.facts import scored
from mlx_engine.measure.report.shareable import name_of
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.results.speed_result import Series, SpeedResult
from mlx_engine.measure.results.verdicts import plus_minus

_USUAL_TOKENS = 2048


@dataclass(frozen=True, slots=True)
class Line:
    """What was measured, what came out, and how."""

    name: str
    value: str
    how: str


def of_fidelity(result: FidelityResult) -> Iterator[Line]:
    """Yield the figures of one measurement against the original."""
    found = result.fidelity
    how = f"against {name_of(result.reference)}, {scored(result)}, {result.convention}"
    if result.cache_bits != 16:
        how += f", context in {result.cache_bits} bits"
    if result.is_stand_in:
        how += ", a lower bound: 8-bit weights stood in for the original"
    yield Line("KL divergence, mean", f"{plus_minus(found.mean_kl, found.mean_kl_se, 4)} nats", how)
    yield Line("KL divergence, 99th percentile", f"{format_number(found.p99_kl)} nats", how)
    error = found.top1_agreement_se
    agreement = plus_minus(100 * found.top1_agreement, None if error is None else 100 * error, 1)
    yield Line("Same next token as the original", f"{agreement} %", how)
    perplexity = plus_minus(found.perplexity, found.perplexity_se, 2)
    yield Line("Perplexity", f"{perplexity} (original: {found.reference_perplexity:.2f})", how)


def of_speed(result: SpeedResult) -> Iterator[Line]:
    """Yield the speeds that most people would ask for, and the memory."""
    machine = result.machine or "a machine that is not known"
    kinds = (("Reading a prompt", result.reading, "tokens"), ("Generating", result.decoding, "tokens of context"))
    for name, series, after in kinds:
        if usual := _usual(series):
            how = f"on {machine}, {usual.tokens:,} {after}, median of {len(usual.values)}"
            yield Line(name, f"{usual.median:,.1f} tokens/s", how)
    yield Line("Peak memory", format_memory(result.peak_memory_bytes), f"on {machine}, while speed was measured")


def _usual(series: Sequence[Series]) -> Series | None:
    """Return the figure nearest to the usual length that can be relied on."""
    sound = [one for one in series if one.values and not one.is_disturbed]
    return min(sound, key=lambda one: abs(one.tokens - _USUAL_TOKENS), default=None)
