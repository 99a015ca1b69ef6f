"""The figures of a report as data: what each is called, what it means, and where a model of the study has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mlx_engine.amounts import format_disk, format_memory, format_number
from mlx_engine.measure.charts.quantities import Sample
from mlx_engine.measure.results.results import Fidelity
from mlx_engine.measure.results.speed_result import Series, SpeedResult
from mlx_engine.measure.results.verdicts import plus_minus

_USUAL_PROMPT = 512


@dataclass(frozen=True, slots=True)
class Column:
    """`value` is the whole figure, for programs and to sort by, and `text` what people read; both empty if unknown."""

    key: str
    title: str
    meaning: str
    value: Callable[[Sample], float | None]
    text: Callable[[Sample], str]


def _column(
    key: str, title: str, meaning: str, value: Callable[[Sample], float | None], words: Callable[[float], str]
) -> Column:
    def text(sample: Sample) -> str:
        found = value(sample)
        return "" if found is None else words(found)

    return Column(key, title, meaning, value, text)


def _of_fidelity(name: str, title: str, meaning: str, digits: int = 4, of_reference: str = "") -> Column:
    """Return a column of a figure of `Fidelity`, with its standard error if it has one.

    For the original, it has the figure `of_reference`, if any.
    """

    def field(sample: Sample) -> tuple[Fidelity, str] | None:
        own = of_reference if sample.is_reference else name
        return (sample.found, own) if sample.found and own else None

    def value(sample: Sample) -> float | None:
        found = field(sample)
        return getattr(*found) if found else None

    def text(sample: Sample) -> str:
        if not (found := field(sample)):
            return ""
        fidelity, own = found
        if not hasattr(fidelity, f"{own}_se"):
            return format_number(getattr(fidelity, own))
        return plus_minus(getattr(fidelity, own), getattr(fidelity, f"{own}_se"), digits)

    return Column(name, title, meaning, value, text)


def _share(name: str, title: str, meaning: str) -> Column:
    def value(sample: Sample) -> float | None:
        return None if sample.is_reference or not sample.found else getattr(sample.found, name)

    def text(sample: Sample) -> str:
        if (share := value(sample)) is None:
            return ""
        error = getattr(sample.found, f"{name}_se", None)
        return f"{plus_minus(100 * share, None if error is None else 100 * error, 1)} %"

    return Column(name, title, meaning, value, text)


def speed_of(sample: Sample) -> SpeedResult | None:
    """Return how fast the model was, at the row of the precision in which that was measured."""
    speed = sample.row.speed
    return speed if speed and speed.plan.cache_bits == sample.cache_bits else None


def _reading(sample: Sample) -> Series | None:
    """Return how fast a prompt of the usual length was read, or the nearest to it."""
    speed = speed_of(sample)
    return min(speed.reading, key=lambda one: abs(one.tokens - _USUAL_PROMPT), default=None) if speed else None


def _decoding(sample: Sample) -> Series | None:
    """Return how fast it wrote after the shortest context."""
    speed = speed_of(sample)
    return min(speed.decoding, key=lambda one: one.tokens, default=None) if speed else None


def _rate(key: str, title: str, meaning: str, series: Callable[[Sample], Series | None]) -> Column:
    def value(sample: Sample) -> float | None:
        return found.median if (found := series(sample)) else None

    return Column(key, title, meaning, value, lambda sample: rate(found) if (found := series(sample)) else "")


def rate(series: Series) -> str:
    """Return tokens per second, with a star where the values lie too far apart."""
    return f"{series.median:,.{0 if series.median >= 100 else 1}f}{'*' if series.is_disturbed else ''}"


def seconds(value: float) -> str:
    return f"{value:.{2 if value < 10 else 1}f} s"


def _first_token_s(sample: Sample) -> float | None:
    speed, series = speed_of(sample), _reading(sample)
    return speed.time_to_first_token_s(series) if speed and series else None


def _load_s(sample: Sample) -> float | None:
    speed = speed_of(sample)
    return speed.load_s[0] if speed and speed.load_s else None


def _peak(sample: Sample) -> float | None:
    return speed.peak_memory_bytes if (speed := speed_of(sample)) else None


MEAN_KL = _of_fidelity(
    "mean_kl", "Mean KL", "KL(original ‖ candidate) of the next token, mean, in nats; 0 is alike.", 4
)
AGREEMENT = _share("top1_agreement", "Same choice", "How often its likeliest next token is the original's.")

MAIN: Sequence[Column] = (
    _column(
        "size_bytes", "Size", "Of the folder on the disk.", lambda sample: sample.row.size_bytes or None, format_disk
    ),
    _column(
        "bits_per_weight",
        "Bits / weight",
        "Bits of all tensors for each weight: scales, and what is not quantized, are counted.",
        lambda sample: sample.row.bits_per_weight or None,
        lambda value: f"{value:.2f}",
    ),
    MEAN_KL,
    _of_fidelity("p99_kl", "p99 KL", "One position of a hundred is farther from the original than this."),
    AGREEMENT,
    _of_fidelity(
        "perplexity", "Perplexity", "How surprised it is by the text; less is better.", 2, "reference_perplexity"
    ),
    _rate("decode", "Decode tok/s", "Tokens a second while it writes, after the shortest context.", _decoding),
    _rate(
        "prefill",
        "Prefill tok/s",
        "Tokens a second while it reads a prompt: of those measured, the one nearest to 512 tokens.",
        _reading,
    ),
    _column("first_token_s", "First token", "After that prompt.", _first_token_s, seconds),
    _column("load_s", "Load", "The first time, which may have to read from the disk.", _load_s, seconds),
    _column(
        "peak_memory_bytes", "Peak memory", "The most that MLX held while speed was measured.", _peak, format_memory
    ),
)
"""What decides between candidates."""

DISTRIBUTION: Sequence[Column] = (
    _of_fidelity("median_kl", "Median", "Half of the positions are nearer than this."),
    _of_fidelity("p90_kl", "p90", "Nine of ten positions are nearer than this."),
    _of_fidelity("p95_kl", "p95", "95 of 100 positions are nearer than this."),
    _of_fidelity("p99_kl", "p99", "99 of 100 positions are nearer than this."),
    _of_fidelity("p999_kl", "p99.9", "999 of 1,000 positions are nearer than this."),
    _of_fidelity("max_kl", "Max", "The farthest position."),
)
"""KL, position by position."""

AGREEMENTS: Sequence[Column] = (
    _column(
        "flips",
        "Other choice",
        "Positions where its likeliest next token is not the original's.",
        lambda sample: None if sample.is_reference or not sample.found else sample.found.flips,
        lambda value: f"{value:,.0f}",
    ),
    _share("top5_overlap", "Top-5 overlap", "Share of the original's five likeliest tokens among its own five."),
    _share("rms_probability_change", "RMS Δp", "Root mean square of the change in probability of the true token."),
    _of_fidelity(
        "log_perplexity_ratio", "ln PPL ratio", "ln(perplexity / that of the original), with its paired error."
    ),
    _column(
        "kl_error_bound",
        "KL bound",
        "The mean over all answers is within this: of the unlikely ones, a sample is kept.",
        lambda sample: None if sample.is_reference or not sample.found else sample.found.kl_error_bound,
        format_number,
    ),
)
"""The other ways of telling candidate and original apart."""
