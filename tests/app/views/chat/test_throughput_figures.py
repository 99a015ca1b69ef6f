import pytest

from app.viewmodels.chat.throughput import Throughput
from app.views.chat.throughput_figures import Figure, context, figures, fitting, memory, progress, sentence


def said(throughput: Throughput) -> str:
    return sentence(figures(throughput, "SmolLM2"))


@pytest.mark.parametrize(
    ("throughput", "words"),
    [
        (Throughput(), ""),
        (Throughput(phase="waiting"), "Waiting for another answer to finish"),
        (Throughput(phase="loading", load_done_bytes=40, load_total_bytes=100), "Loading SmolLM2… · 40%"),
        (
            Throughput(phase="reading", done_tokens=1024, total_tokens=8120, tokens_per_s=312.4, cached_tokens=900),
            "Reading 1,024 of 8,120 tokens · 312 tok/s · 900 reused",
        ),
        (
            Throughput(phase="answering", tokens_per_s=88.06, generated_tokens=612, time_to_first_token_s=0.21),
            "88.1 tok/s · 612 tokens · first token 0.21 s",
        ),
        (Throughput(phase="failed"), "The answer ended with an error"),
    ],
)
def test_each_phase_says_what_goes_on(throughput: Throughput, words: str) -> None:
    """The bar has words and figures for every phase, and is quiet when nothing happens."""
    assert said(throughput) == words


def test_reading_again_says_why() -> None:
    """The reason for which tokens are read again is on the bar."""
    assert "the system prompt changed" in said(Throughput(phase="reading", reread_reason="the system prompt changed"))


def test_memory_is_told_against_that_of_the_machine() -> None:
    """Memory is in the gigabytes by which machines are sold, and absent without an engine."""
    used = Throughput(engine_memory_bytes=410 * 2**20, machine_memory_bytes=16 * 2**30)
    assert sentence([memory(used)]) == "410 MB of 16 GB"
    assert memory(Throughput(machine_memory_bytes=16 * 2**30)) is None


def test_the_context_is_told_once_something_is_in_it() -> None:
    """Used and possible tokens of the context, but nothing before the first message."""
    assert sentence([context(Throughput(context_tokens=612, context_length=8192))]) == "Context 612 of 8,192"
    assert context(Throughput(context_length=8192)) is None


@pytest.mark.parametrize(
    ("throughput", "share"),
    [
        (Throughput(phase="loading", load_done_bytes=1, load_total_bytes=4), 0.25),
        (Throughput(phase="reading", done_tokens=1, total_tokens=2), 0.5),
        (Throughput(phase="reading"), 0.0),
        (Throughput(phase="answering", done_tokens=1, total_tokens=2), None),
    ],
)
def test_progress_is_that_of_the_load_or_of_the_reading(throughput: Throughput, share: float | None) -> None:
    assert progress(throughput) == share


def test_figures_of_one_kind_take_the_same_room() -> None:
    """Changing digits move nothing: the room is that of the widest figure."""
    widths = {
        tuple(figure.widest for figure in figures(Throughput(phase="answering", tokens_per_s=rate), "SmolLM2"))
        for rate in (0.0, 9.9, 88.1, 312.4)
    }
    assert len(widths) == 1


def test_where_room_is_short_the_least_important_goes_first() -> None:
    """Figures are left out by rank, keeping the order; one always stays."""
    shown = [Figure("a", "a", 2), Figure("b", "b", 0), Figure("c", "c", 1)]
    assert [figure.text for figure in fitting(shown, 2, lambda _figure: 1)] == ["b", "c"]
    assert [figure.text for figure in fitting(shown, 0, lambda _figure: 1)] == ["b"]
