import pytest

from app.viewmodels.formatting import hub as hub_words
from mlx_engine.engine.values.job_state import Done, Failed, JobState, Paused, Queued, Running


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Queued(), "Waiting for its turn"),
        (Running(), "Asking the Hub what there is to download…"),
        (Running(1_000_000_000, 4_000_000_000, 25e6, 121.0), "1.0 GB of 4.0 GB · 25 MB/s · 2 min left"),
        (Running(1_000_000_000, 4_000_000_000, 0.0, None), "1.0 GB of 4.0 GB"),
        (
            Running(2_000_000, 4_000_000, 1e6, 2.0, notice="The Hub asks to wait."),
            "2 MB of 4 MB · The Hub asks to wait.",
        ),
        (Paused(), "Paused"),
        (Paused(2_000_000, 4_000_000), "Paused · 2 MB of 4 MB"),
        (Done("/", 4_000_000_000), "Ready · 4.0 GB, every file verified"),
        (Failed("NoSpace", "Not enough space on the disk", "Make room."), "Not enough space on the disk"),
    ],
)
def test_a_download_is_told_in_a_line(state: JobState, words: str) -> None:
    """Every state has its words, and what nobody knows yet is left out."""
    assert hub_words.progress(state) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "a few seconds left"), (42, "40 s left"), (90, "2 min left"), (3_900, "1 h 5 min left")],
)
def test_the_time_left_is_rounded(seconds: float, words: str) -> None:
    """A time that changes every second cannot be read."""
    assert hub_words.time_left(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"), [(7, "7"), (999, "999"), (9_330, "9.33k"), (125_900, "126k"), (2_500_000, "2.5M")]
)
def test_counts_have_three_figures(number: int, words: str) -> None:
    assert hub_words.count(number) == words


def test_a_page_is_that_of_the_mirror_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever uses a mirror is sent to its pages."""
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.test/")
    assert hub_words.address("owner/name") == "http://mirror.test/owner/name"
