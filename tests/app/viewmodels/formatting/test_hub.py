"""Tests of Hub jobs as text, and of Hub URLs."""

import pytest

from app.viewmodels.formatting import hub as hub_format
from mlx_engine.engine.values.job_state import Done, Failed, JobState, Paused, Queued, Running


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (Queued(), "Waiting"),
        (Running(), "Getting the list of files…"),
        (Running(1_000_000_000, 4_000_000_000, 25e6, 121.0), "1 GB of 4 GB · 25 MB/s · about 2 min left"),
        (Running(1_000_000_000, 4_000_000_000, 0.0, None), "1 GB of 4 GB"),
        (
            Running(2_000_000, 4_000_000, 1e6, 2.0, notice="The Hub asks to wait."),
            "2 MB of 4 MB · The Hub asks to wait.",
        ),
        (Paused(), "Paused"),
        (Paused(2_000_000, 4_000_000), "Paused · 2 MB of 4 MB"),
        (Done("/", 4_000_000_000), "Ready · 4 GB, every file verified"),
        (Failed("NoSpace", "Not enough disk space", "Make room."), "Not enough disk space"),
    ],
)
def test_a_job_is_one_line(state: JobState, text: str) -> None:
    """Unknown figures are omitted."""
    assert hub_format.format_job(state) == text


def test_page_urls_use_the_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.test/")
    assert hub_format.page_url("owner/name") == "http://mirror.test/owner/name"


@pytest.mark.parametrize(
    "address",
    [
        "https://huggingface.co/mlx-community/Qwen3-0.6B-4bit",
        " https://huggingface.co/mlx-community/Qwen3-0.6B-4bit/ \n",
        "https://hf.co/mlx-community/Qwen3-0.6B-4bit?library=mlx",
        "http://www.huggingface.co/mlx-community/Qwen3-0.6B-4bit/tree/main#files",
    ],
)
def test_the_url_of_a_model_contains_its_repository(address: str) -> None:
    """It may be any page of the model."""
    assert hub_format.repository_from_url(address) == "mlx-community/Qwen3-0.6B-4bit"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mlx-community/Qwen3-0.6B-4bit",
        "https://huggingface.co/mlx-community",
        "https://huggingface.co/datasets/owner/name",
        "https://huggingface.co.example.org/owner/name",
        "https://example.org/huggingface.co/owner/name",
        "https://huggingface.co/owner/na me",
    ],
)
def test_other_texts_contain_no_repository(text: str) -> None:
    """URLs of other sites do not count."""
    assert hub_format.repository_from_url(text) == ""
