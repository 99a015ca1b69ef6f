"""The figures of an answer, as a line and in words. Knows no Qt."""

from mlx_engine.amounts import format_memory
from mlx_engine.protocol import FinishReason, Statistics

_ENDINGS: dict[FinishReason, str] = {
    "stop": "The model ended the answer itself.",
    "length": "The answer reached the longest length that is set.",
    "cancelled": "The answer was stopped.",
}


def line(statistics: Statistics) -> str:
    """Return the figures that matter most, short."""
    parts = []
    if statistics.decode_tokens_per_s:
        parts.append(f"{statistics.decode_tokens_per_s:.1f} tok/s")
    if statistics.effective_tokens_per_s:
        parts.append(f"{statistics.effective_tokens_per_s:.1f} effective")
    parts.append(f"first token {statistics.time_to_first_token_s:.2f} s")
    parts.append(_tokens(statistics.generated_tokens))
    if statistics.finish_reason == "length":
        parts.append("cut at the length limit")
    return " · ".join(parts)


def in_words(statistics: Statistics, model: str) -> str:
    """Return all figures, a sentence a line."""
    read = statistics.prompt_tokens - statistics.cached_tokens
    rate = f" at {statistics.prefill_tokens_per_s:,.0f} tokens per second" if statistics.prefill_tokens_per_s else ""
    kept = f"; {statistics.cached_tokens:,} more were still in memory" if statistics.cached_tokens else ""
    return "\n".join(
        (
            *([f"Answered by {model}."] if model else []),
            f"Read {_tokens(read)} of the prompt{rate}{kept}.",
            f"The first token came after {statistics.time_to_first_token_s:.2f} seconds.",
            f"Wrote {_tokens(statistics.generated_tokens)} at {statistics.decode_tokens_per_s:.1f} tokens per second; "
            f"{statistics.effective_tokens_per_s:.1f} with the reading counted in.",
            f"Used {format_memory(statistics.peak_memory_bytes)} at most. "
            f"The context now holds {_tokens(statistics.context_tokens)}.",
            _ENDINGS[statistics.finish_reason],
        )
    )


def _tokens(count: int) -> str:
    return "1 token" if count == 1 else f"{count:,} tokens"
