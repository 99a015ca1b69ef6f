from app.views.transcript.figures import in_words, line
from mlx_engine.protocol import Statistics

STATISTICS = Statistics(
    prompt_tokens=1240, cached_tokens=900, prefill_tokens_per_s=1100, time_to_first_token_s=0.214, generated_tokens=612,
    decode_tokens_per_s=41.23, effective_tokens_per_s=38.9, peak_memory_bytes=3_100_000_000, context_tokens=1852,
    finish_reason="stop",
)  # fmt: skip


def test_the_line_has_the_figures_that_matter() -> None:
    """Both rates, the wait and the length are seen without pointing at anything."""
    assert line(STATISTICS) == "41.2 tok/s · 38.9 effective · first token 0.21 s · 612 tokens"


def test_the_words_have_them_all() -> None:
    """Tokens read are told from tokens kept from before."""
    words = in_words(STATISTICS, "owner/model")
    assert "Answered by owner/model." in words
    assert "Read 340 tokens of the prompt at 1,100 tokens per second; 900 more were still in memory." in words
    assert "2.9 GB" in words
    assert "1,852 tokens" in words
