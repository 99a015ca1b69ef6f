"""All figures of a study. A new figure is one entry here: tables, charts, reports and the terminal derive from it."""

from collections.abc import Callable, Sequence

from mlx_engine.measure.figures.figure import Figure, FigureEstimate
from mlx_engine.measure.figures.sample import Sample
from mlx_engine.measure.results.results import Fidelity
from mlx_engine.measure.results.speed_result import USUAL_PROMPT_TOKENS, RateSeries, SpeedResult


def _exact(read: Callable[[Sample], float | None]) -> Callable[[Sample], FigureEstimate | None]:
    """Read a value without an error; 0 is not measured."""
    return lambda sample: FigureEstimate(value) if (value := read(sample)) else None


def _fidelity(name: str) -> Callable[[Sample], FigureEstimate | None]:
    """Read a field of `Fidelity`, with its standard error if it has one."""
    return lambda sample: _estimate(sample.fidelity, name) if sample.fidelity else None


def _estimate(fidelity: Fidelity, name: str) -> FigureEstimate:
    return FigureEstimate(getattr(fidelity, name), getattr(fidelity, f"{name}_se", None))


def _perplexity(sample: Sample) -> FigureEstimate | None:
    if sample.reference:
        return _estimate(sample.reference, "reference_perplexity")
    return _estimate(sample.fidelity, "perplexity") if sample.fidelity else None


def _top1_disagreement(sample: Sample) -> FigureEstimate | None:
    if sample.fidelity is None:
        return None
    return FigureEstimate(1 - sample.fidelity.top1_agreement, sample.fidelity.top1_agreement_se)


def token_rate(series: RateSeries) -> FigureEstimate:
    """Return the median of repeated measurements in tokens per second, with their extremes."""
    return FigureEstimate(
        series.median, extremes=(min(series.values), max(series.values)), is_disturbed=series.is_disturbed
    )


def _rate(read: Callable[[SpeedResult], RateSeries | None]) -> Callable[[Sample], FigureEstimate | None]:
    def rate(sample: Sample) -> FigureEstimate | None:
        series = read(sample.speed) if sample.speed else None
        return token_rate(series) if series else None

    return rate


def _first_token_s(sample: Sample) -> float | None:
    speed = sample.speed
    return speed.time_to_first_token_s(speed.prefill) if speed and speed.prefill else None


SIZE = Figure("size_bytes", "Size", "Size on disk.", "files", "disk", _exact(lambda sample: sample.row.size_bytes))
BITS_PER_WEIGHT = Figure(
    "bits_per_weight",
    "Bits per weight",
    "Average over all weights, including scales and layers that are not quantized.",
    "files",
    "",
    _exact(lambda sample: sample.row.bits_per_weight),
    decimals=2,
)
MEAN_KL = Figure(
    "mean_kl",
    "Mean KL",
    "Mean KL divergence from the original, in nats, ± standard error. 0 = identical.",
    "fidelity",
    "nats",
    _fidelity("mean_kl"),
    decimals=4,
    is_log=True,
    has_error=True,
    of_original=0.0,
)
P99_KL = Figure(
    "p99_kl",
    "p99 KL",
    "99th percentile of KL divergence over positions.",
    "fidelity",
    "nats",
    _fidelity("p99_kl"),
    is_log=True,
    of_original=0.0,
)
TOP1_AGREEMENT = Figure(
    "top1_agreement",
    "Top-1 agreement",
    "Share of positions where the most likely next token is the original's.",
    "fidelity",
    "share",
    _fidelity("top1_agreement"),
    decimals=1,
    less_is_better=False,
    has_error=True,
    of_original=1.0,
)
TOP1_DISAGREEMENT = Figure(
    "top1_disagreement",
    "Top-1 disagreement",
    "Share of positions where the most likely next token differs from the original's.",
    "fidelity",
    "share",
    _top1_disagreement,
    decimals=1,
    has_error=True,
    of_original=0.0,
)
PERPLEXITY = Figure(
    "perplexity",
    "Perplexity",
    "Perplexity on this text, ± standard error; lower is better.",
    "fidelity",
    "",
    _perplexity,
    decimals=2,
    has_error=True,
)
DECODE_SPEED = Figure(
    "decode",
    "Decode speed",
    "Tokens generated per second, after the shortest context. * = unreliable: the repetitions differ too much.",
    "speed",
    "tok/s",
    _rate(lambda speed: speed.decode),
    less_is_better=False,
)
PREFILL_SPEED = Figure(
    "prefill",
    "Prefill speed",
    f"Prompt tokens processed per second, at the prompt length closest to {USUAL_PROMPT_TOKENS} tokens.",
    "speed",
    "tok/s",
    _rate(lambda speed: speed.prefill),
    less_is_better=False,
)
FIRST_TOKEN = Figure(
    "first_token_s", "Time to first token", "For the same prompt.", "speed", "seconds", _exact(_first_token_s)
)
LOAD_TIME = Figure(
    "load_s",
    "Load time",
    "Time of the first load, which may have to read from the disk.",
    "speed",
    "seconds",
    _exact(lambda sample: sample.speed.load_s[0] if sample.speed and sample.speed.load_s else None),
)
PEAK_MEMORY = Figure(
    "peak_memory_bytes",
    "Peak memory",
    "Most memory used by MLX while speed was measured, weights included.",
    "speed",
    "memory",
    _exact(lambda sample: sample.speed.peak_memory_bytes if sample.speed else None),
)

FIGURES: Sequence[Figure] = (
    SIZE,
    BITS_PER_WEIGHT,
    MEAN_KL,
    P99_KL,
    TOP1_AGREEMENT,
    PERPLEXITY,
    DECODE_SPEED,
    PREFILL_SPEED,
    FIRST_TOKEN,
    LOAD_TIME,
    PEAK_MEMORY,
)
"""The figures that decide between candidates, in the order of all tables."""
CHART_FIGURES: Sequence[Figure] = tuple(TOP1_DISAGREEMENT if figure is TOP1_AGREEMENT else figure for figure in FIGURES)
"""The same for charts, where agreements of 99.2% and 99.8% would look alike."""


def _percentile(name: str, title: str, meaning: str) -> Figure:
    return Figure(f"{name}_kl", title, meaning, "fidelity", "nats", _fidelity(f"{name}_kl"), is_log=True)


DISTRIBUTION: Sequence[Figure] = (
    _percentile("median", "Median KL", "Half of the positions are below."),
    _percentile("p90", "p90 KL", "90th percentile of KL divergence over positions."),
    _percentile("p95", "p95 KL", "95th percentile of KL divergence over positions."),
    P99_KL,
    _percentile("p999", "p99.9 KL", "99.9th percentile of KL divergence over positions."),
    _percentile("max", "Max KL", "KL divergence of the worst position."),
)
"""KL divergence over positions."""

LOG_PERPLEXITY_RATIO = Figure(
    "log_perplexity_ratio",
    "Log perplexity ratio",
    "ln(perplexity / perplexity of the original), ± paired standard error.",
    "fidelity",
    "",
    _fidelity("log_perplexity_ratio"),
    decimals=4,
    has_error=True,
)
AGREEMENT: Sequence[Figure] = (
    Figure(
        "flips",
        "Flips",
        "Positions where the most likely next token differs.",
        "fidelity",
        "",
        _fidelity("flips"),
        decimals=0,
    ),
    Figure(
        "top5_overlap",
        "Top-5 overlap",
        "Share of the original's five most likely tokens that are among the model's five.",
        "fidelity",
        "share",
        _fidelity("top5_overlap"),
        decimals=1,
        less_is_better=False,
    ),
    Figure(
        "rms_probability_change",
        "RMS Δp",
        "Root mean square of the change in probability of the actual token.",
        "fidelity",
        "share",
        _fidelity("rms_probability_change"),
        decimals=1,
    ),
    LOG_PERPLEXITY_RATIO,
    Figure(
        "kl_error_bound",
        "KL error bound",
        "Largest error of mean KL from storing only a sample of the original's unlikely tokens.",
        "fidelity",
        "nats",
        _fidelity("kl_error_bound"),
    ),
)
"""Further measures of agreement with the original."""

ALL_FIGURES: Sequence[Figure] = tuple(dict.fromkeys((*FIGURES, *DISTRIBUTION, *AGREEMENT)))
