"""The figures of an answer: a short line, and sentences for the tooltip. Imports no Qt."""

from mlx_engine.amounts import format_memory
from mlx_engine.protocol import FinishReason, Statistics

_ENDINGS: dict[FinishReason, str] = {
    "stop": "The model finished the answer.",
    "length": "The answer reached the length limit.",
    "cancelled": "You stopped the answer.",
}


def summary(statistics: Statistics) -> str:
    """Return the most important figures on one line."""
    parts = []
    if statistics.decode_tokens_per_s:
        parts.append(f"{statistics.decode_tokens_per_s:.1f} tok/s")
    if statistics.effective_tokens_per_s:
        parts.append(f"{statistics.effective_tokens_per_s:.1f} incl. prompt")
    parts.append(f"first token {statistics.time_to_first_token_s:.2f} s")
    parts.append(_tokens(statistics.generated_tokens))
    if statistics.finish_reason == "length":
        parts.append("cut off at the length limit")
    return " · ".join(parts)


def details(statistics: Statistics, model: str) -> str:
    """Return all figures, one sentence per line."""
    read = statistics.prompt_tokens - statistics.cached_tokens
    rate = f" at {statistics.prefill_tokens_per_s:,.0f} tokens per second" if statistics.prefill_tokens_per_s else ""
    cached = f"; {statistics.cached_tokens:,} more came from the KV cache" if statistics.cached_tokens else ""
    return "\n".join(
        (
            *([f"Answered by {model}."] if model else []),
            f"Read {_tokens(read)} of the prompt{rate}{cached}.",
            f"The first token came after {statistics.time_to_first_token_s:.2f} seconds.",
            f"Wrote {_tokens(statistics.generated_tokens)} at {statistics.decode_tokens_per_s:.1f} tokens per second; "
            f"{statistics.effective_tokens_per_s:.1f} including the prompt.",
            f"Peak memory: {format_memory(statistics.peak_memory_bytes)}. "
            f"The context now holds {_tokens(statistics.context_tokens)}.",
            _ENDINGS[statistics.finish_reason],
        )
    )


def _tokens(count: int) -> str:
    return "1 token" if count == 1 else f"{count:,} tokens"
