"""Figures of the throughput bar, and the choice of those that fit. Imports no Qt."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.viewmodels.chat.throughput import Throughput
from mlx_engine.amounts import format_count, format_duration, format_memory, format_percent, format_token_rate


@dataclass(frozen=True, slots=True)
class BarFigure:
    """A figure. `widest` is its widest possible text, which keeps the layout stable; when space is short, figures with
    the highest `rank` are dropped first.
    """

    text: str
    widest: str
    rank: int
    is_strong: bool = False


def figures(throughput: Throughput, model_name: str) -> list[BarFigure]:
    """Return the figures on the left of the bar."""
    match throughput.phase:
        case "idle":
            return []
        case "waiting":
            return [_text("Waiting for another answer to finish")]
        case "loading":
            return [_text(f"Loading {model_name}…"), *_load_progress(throughput)]
        case "reading":
            return _reading(throughput)
        case "failed":
            return [_text("Answer failed")]
        case "answering" | "done":
            return _answering(throughput)


def memory(throughput: Throughput) -> BarFigure | None:
    """Return the memory of the engine and of this Mac, or None without an engine."""
    if not throughput.engine_memory_bytes:
        return None
    total = format_memory(throughput.machine_memory_bytes)
    return _figure(f"{format_memory(throughput.engine_memory_bytes)} of {total}", f"88.8 GB of {total}", rank=4)


def context(throughput: Throughput) -> BarFigure | None:
    """Return the used and the total context, or None for an empty context."""
    if not throughput.context_length or not throughput.context_tokens:
        return None
    length = throughput.context_length
    return _figure(f"Context {throughput.context_tokens:,} of {length:,}", f"Context {length:,} of {length:,}", rank=2)


def progress(throughput: Throughput) -> float | None:
    """Return the progress of loading or prefill from 0 to 1, or None in other phases."""
    match throughput.phase:
        case "loading":
            return _share(throughput.load_done_bytes, throughput.load_total_bytes)
        case "reading":
            return _share(throughput.done_tokens, throughput.total_tokens)
        case _:
            return None


def fit_figures(
    candidates: Iterable[BarFigure], available: float, width: Callable[[BarFigure], float]
) -> list[BarFigure]:
    """Return the figures that fit into `available`; those with the highest rank are dropped first."""
    fitting = list(candidates)
    while len(fitting) > 1 and sum(map(width, fitting)) > available:
        fitting.remove(max(fitting, key=lambda figure: figure.rank))
    return fitting


def summary(figures: Sequence[BarFigure | None]) -> str:
    """Return all figures in one line."""
    return " · ".join(figure.text for figure in figures if figure)


def _answering(throughput: Throughput) -> list[BarFigure]:
    first_token_s = throughput.time_to_first_token_s
    return [
        _figure(format_token_rate(throughput.tokens_per_s), "88.8 tok/s", rank=0, is_strong=True),
        _figure(format_count(throughput.generated_tokens, "token"), "8,888 tokens", rank=1),
        _figure(f"first token {format_duration(first_token_s)}", "first token 88.88 s", rank=3),
    ]


def _reading(throughput: Throughput) -> list[BarFigure]:
    total = f"{throughput.total_tokens:,}"
    read = f"Reading {throughput.done_tokens:,} of {total} tokens"
    parts = [_figure(read, f"Reading {total} of {total} tokens", rank=0)]
    if throughput.tokens_per_s:
        parts.append(_figure(format_token_rate(throughput.tokens_per_s), "8,888 tok/s", rank=2))
    if throughput.cached_tokens:
        parts.append(_text(f"{throughput.cached_tokens:,} reused", rank=3))
    if throughput.reread_reason:
        parts.append(_text(throughput.reread_reason, rank=1))
    return parts


def _load_progress(throughput: Throughput) -> list[BarFigure]:
    share = _share(throughput.load_done_bytes, throughput.load_total_bytes)
    return [_figure(format_percent(share), "100%", rank=1)] if throughput.load_total_bytes else []


def _share(done: int, total: int) -> float:
    return min(done / total, 1.0) if total else 0.0


def _text(text: str, rank: int = 0) -> BarFigure:
    return BarFigure(text, text, rank)


def _figure(text: str, widest: str, *, rank: int, is_strong: bool = False) -> BarFigure:
    digits = str.maketrans("0123456789", "8888888888")
    return BarFigure(text, max(text, widest, key=len).translate(digits), rank, is_strong)
