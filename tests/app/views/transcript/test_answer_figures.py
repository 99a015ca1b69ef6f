from app.views.transcript.answer_figures import details, summary
from mlx_engine.protocol import Statistics

STATISTICS = Statistics(
    prompt_tokens=1240, cached_tokens=900, prefill_tokens_per_s=1100, time_to_first_token_s=0.214, generated_tokens=612,
    decode_tokens_per_s=41.23, effective_tokens_per_s=38.9, peak_memory_bytes=3_100_000_000, context_tokens=1852,
    finish_reason="stop",
)  # fmt: skip


def test_the_summary_has_the_most_important_figures() -> None:
    """Both rates, the wait and the length are visible without a tooltip."""
    assert summary(STATISTICS) == "41.2 tok/s · 38.9 incl. prompt · first token 0.21 s · 612 tokens"


def test_the_details_have_all_figures() -> None:
    """Tokens read and tokens from the KV cache are counted separately."""
    text = details(STATISTICS, "owner/model")
    assert "Answered by owner/model." in text
    assert "Read 340 tokens of the prompt at 1,100 tok/s; 900 more came from the KV cache." in text
    assert "2.9 GB" in text
    assert "1,852 tokens" in text
