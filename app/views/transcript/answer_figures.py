"""The figures of an answer: a short line, and sentences for the tooltip. Imports no Qt."""

from mlx_engine.amounts import format_count, format_duration, format_memory, format_token_rate
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
        parts.append(format_token_rate(statistics.decode_tokens_per_s))
    if statistics.effective_tokens_per_s:
        parts.append(f"{statistics.effective_tokens_per_s:.1f} incl. prompt")
    parts.append(f"first token {format_duration(statistics.time_to_first_token_s)}")
    parts.append(format_count(statistics.generated_tokens, "token"))
    if statistics.finish_reason == "length":
        parts.append("cut off at the length limit")
    return " · ".join(parts)


def details(statistics: Statistics, model: str) -> str:
    """Return all figures, one sentence per line."""
    read = statistics.prompt_tokens - statistics.cached_tokens
    decode, prefill = statistics.decode_tokens_per_s, statistics.prefill_tokens_per_s
    rate = f" at {format_token_rate(prefill)}" if prefill else ""
    cached = f"; {statistics.cached_tokens:,} more came from the KV cache" if statistics.cached_tokens else ""
    return "\n".join(
        (
            *([f"Answered by {model}."] if model else []),
            f"Read {format_count(read, 'token')} of the prompt{rate}{cached}.",
            f"The first token came after {format_duration(statistics.time_to_first_token_s)}.",
            f"Wrote {format_count(statistics.generated_tokens, 'token')} at {format_token_rate(decode)}; "
            f"{statistics.effective_tokens_per_s:.1f} including the prompt.",
            f"Peak memory: {format_memory(statistics.peak_memory_bytes)}. "
            f"The context now holds {format_count(statistics.context_tokens, 'token')}.",
            _ENDINGS[statistics.finish_reason],
        )
    )
