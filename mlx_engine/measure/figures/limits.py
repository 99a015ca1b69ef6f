"""The limits of a study as text, by the names of the figures that they limit."""

from mlx_engine.measure.figures.figure import Figure
from mlx_engine.measure.figures.figures import (
    DECODE_SPEED,
    MEAN_KL,
    P99_KL,
    PEAK_MEMORY,
    PERPLEXITY,
    PREFILL_SPEED,
    SIZE,
    TOP1_AGREEMENT,
)
from mlx_engine.measure.figures.format import display_unit
from mlx_engine.measure.study.plan import Aim, Gates

AIMS: dict[Aim, str] = {"fastest": "the fastest", "smallest": "the smallest", "closest": "the closest to the original"}


def format_limits(gates: Gates) -> str:
    """Format all limits: "mean KL ≤ 0.05 nats, size ≤ 8 GB"; "none" if there are none."""
    ratio = gates.max_perplexity_ratio
    limits = (
        _limit(MEAN_KL, gates.max_mean_kl),
        _limit(P99_KL, gates.max_p99_kl),
        f"{PERPLEXITY.title_in_sentence} ≤ {ratio:g} times the original's" if ratio is not None else "",
        _limit(TOP1_AGREEMENT, gates.min_top1_agreement),
        _limit(SIZE, gates.max_size_bytes),
        _limit(PEAK_MEMORY, gates.max_memory_bytes),
        _limit(DECODE_SPEED, gates.min_decode_tokens_per_s),
        _limit(PREFILL_SPEED, gates.min_prefill_tokens_per_s),
    )
    return ", ".join(filter(None, limits)) or "none"


def _limit(figure: Figure, limit: float | None) -> str:
    if limit is None:
        return ""
    unit = display_unit(figure, [limit])
    sign = "≤" if figure.less_is_better else "≥"
    return f"{figure.title_in_sentence} {sign} {limit / unit.divisor:g}{unit.suffix}"
