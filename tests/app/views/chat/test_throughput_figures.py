import pytest

from app.viewmodels.chat.throughput import Throughput
from app.views.chat.throughput_figures import BarFigure, context, figures, fit_figures, memory, progress, summary


def bar_text(throughput: Throughput) -> str:
    return summary(figures(throughput, "SmolLM2"))


@pytest.mark.parametrize(
    ("throughput", "text"),
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
        (Throughput(phase="failed"), "Answer failed"),
    ],
)
def test_each_phase_has_its_figures(throughput: Throughput, text: str) -> None:
    """Each phase has a text; the idle bar is empty."""
    assert bar_text(throughput) == text


def test_the_reason_for_rereading_is_shown() -> None:
    """The bar has the reason why cached tokens are read again."""
    assert "the system prompt changed" in bar_text(
        Throughput(phase="reading", reread_reason="the system prompt changed")
    )


def test_memory_is_shown_with_the_total() -> None:
    """Memory is in the units in which Macs are sold, and absent without an engine."""
    used = Throughput(engine_memory_bytes=410 * 2**20, machine_memory_bytes=16 * 2**30)
    assert summary([memory(used)]) == "410 MB of 16 GB"
    assert memory(Throughput(machine_memory_bytes=16 * 2**30)) is None


def test_the_context_is_shown_once_it_is_used() -> None:
    """Used and total tokens, but nothing before the first message."""
    assert summary([context(Throughput(context_tokens=612, context_length=8192))]) == "Context 612 of 8,192"
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
def test_progress_covers_loading_and_prefill(throughput: Throughput, share: float | None) -> None:
    assert progress(throughput) == share


def test_figures_of_one_kind_have_the_same_width() -> None:
    """Changing digits do not move the layout: the width is that of the widest figure."""
    widths = {
        tuple(figure.widest for figure in figures(Throughput(phase="answering", tokens_per_s=rate), "SmolLM2"))
        for rate in (0.0, 9.9, 88.1, 312.4)
    }
    assert len(widths) == 1


def test_the_least_important_figure_is_dropped_first() -> None:
    """Figures are dropped by rank, in order; one always remains."""
    shown = [BarFigure("a", "a", 2), BarFigure("b", "b", 0), BarFigure("c", "c", 1)]
    assert [figure.text for figure in fit_figures(shown, 2, lambda _figure: 1)] == ["b", "c"]
    assert [figure.text for figure in fit_figures(shown, 0, lambda _figure: 1)] == ["b"]
