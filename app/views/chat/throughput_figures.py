"""What the throughput bar says, in words and figures, and what it leaves out when there is little room. Knows no Qt."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.viewmodels.chat.throughput import Throughput
from mlx_engine.amounts import format_count, format_duration, format_memory, format_percent, format_token_rate


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing to say. `widest` is as wide as the text ever gets, so that nothing moves while the figures change;
    where room is short, the greatest `rank` goes first.
    """

    text: str
    widest: str
    rank: int
    strong: bool = False


def figures(throughput: Throughput, model_name: str) -> list[Figure]:
    """Return what to say on the left of the bar, in order."""
    match throughput.phase:
        case "idle":
            return []
        case "waiting":
            return [_words("Waiting for another answer to finish")]
        case "loading":
            return [_words(f"Loading {model_name}…"), *_loaded(throughput)]
        case "reading":
            return _reading(throughput)
        case "failed":
            return [_words("The answer ended with an error")]
        case "answering" | "done":
            return _answering(throughput)


def memory(throughput: Throughput) -> Figure | None:
    """Return the engine's memory beside the machine's, if there is an engine."""
    if not throughput.engine_memory_bytes:
        return None
    total = format_memory(throughput.machine_memory_bytes)
    return _figure(f"{format_memory(throughput.engine_memory_bytes)} of {total}", f"88.8 GB of {total}", rank=4)


def context(throughput: Throughput) -> Figure | None:
    """Return how much of the context is used, once something is in it."""
    if not throughput.context_length or not throughput.context_tokens:
        return None
    length = throughput.context_length
    return _figure(f"Context {throughput.context_tokens:,} of {length:,}", f"Context {length:,} of {length:,}", rank=2)


def progress(throughput: Throughput) -> float | None:
    """Return the share that is loaded or read, 0 to 1; None where nothing of the kind is going on."""
    match throughput.phase:
        case "loading":
            return _share(throughput.load_done_bytes, throughput.load_total_bytes)
        case "reading":
            return _share(throughput.done_tokens, throughput.total_tokens)
        case _:
            return None


def fitting(candidates: Iterable[Figure], room: float, width: Callable[[Figure], float]) -> list[Figure]:
    """Return the figures that fit into `room` together, the ones of the greatest rank left out first."""
    kept = list(candidates)
    while len(kept) > 1 and sum(map(width, kept)) > room:
        kept.remove(max(kept, key=lambda figure: figure.rank))
    return kept


def sentence(shown: Sequence[Figure | None]) -> str:
    """Return all figures in one line."""
    return " · ".join(figure.text for figure in shown if figure)


def _answering(throughput: Throughput) -> list[Figure]:
    first_token_s = throughput.time_to_first_token_s
    return [
        _figure(format_token_rate(throughput.tokens_per_s), "88.8 tok/s", rank=0, strong=True),
        _figure(format_count(throughput.generated_tokens, "token"), "8,888 tokens", rank=1),
        _figure(f"first token {format_duration(first_token_s)}", "first token 88.88 s", rank=3),
    ]


def _reading(throughput: Throughput) -> list[Figure]:
    total = f"{throughput.total_tokens:,}"
    read = f"Reading {throughput.done_tokens:,} of {total} tokens"
    said = [_figure(read, f"Reading {total} of {total} tokens", rank=0)]
    if throughput.tokens_per_s:
        said.append(_figure(format_token_rate(throughput.tokens_per_s), "8,888 tok/s", rank=2))
    if throughput.cached_tokens:
        said.append(_words(f"{throughput.cached_tokens:,} reused", rank=3))
    if throughput.reread_reason:
        said.append(_words(throughput.reread_reason, rank=1))
    return said


def _loaded(throughput: Throughput) -> list[Figure]:
    share = _share(throughput.load_done_bytes, throughput.load_total_bytes)
    return [_figure(format_percent(share), "100%", rank=1)] if throughput.load_total_bytes else []


def _share(done: int, total: int) -> float:
    return min(done / total, 1.0) if total else 0.0


def _words(text: str, rank: int = 0) -> Figure:
    return Figure(text, text, rank)


def _figure(text: str, widest: str, *, rank: int, strong: bool = False) -> Figure:
    digits = str.maketrans("0123456789", "8888888888")
    return Figure(text, max(text, widest, key=len).translate(digits), rank, strong)
