"""The state of a study as text."""

import pytest

from app.viewmodels.lab.format import format_corpus, step_progress
from mlx_engine.hub_messages import DownloadProgress, FetchDataset, Waiting
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Step

STEP = Step("fetch", "maker/Whale", FetchDataset("maker/Whale", "wikitext-2"))


def test_a_download_has_its_progress() -> None:
    """And the reason for waiting."""
    half = DownloadProgress(
        id="", done_bytes=1_000_000, total_bytes=2_000_000, bytes_per_s=1.0, remaining_s=None, files=()
    )
    progress = step_progress(STEP, half)
    assert (progress.step.text, progress.share) == ("Downloading the text: 1 MB of 2 MB", 0.5)
    assert step_progress(STEP, Waiting("", 4.0, "It does not answer.")).step.text.endswith("It does not answer.")
    assert step_progress(STEP).step.text == "Downloading the text…"


@pytest.mark.parametrize(
    ("corpus", "name"),
    [
        (CorpusSource(), "Facet's texts"),
        (CorpusSource(kinds=("code", "prose")), "Facet's texts (code, prose)"),
        (CorpusSource(dataset="wikitext-2"), "wikitext-2"),
        (CorpusSource(path="/home/me/notes.txt"), "notes.txt"),
        (CorpusSource(path="/home/me/chats/c0ffee/Past chats.jsonl", private=True), "Past chats"),
    ],
)
def test_a_corpus_is_named(corpus: CorpusSource, name: str) -> None:
    """With the limit of tokens."""
    plan = StudyPlan(name="a", original="o", candidates=("c",), corpus=corpus)
    assert format_corpus(plan) == f"{name}, up to 8,192 tokens"
