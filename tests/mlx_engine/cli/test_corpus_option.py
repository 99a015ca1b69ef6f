"""Tests of `facet measure` and `facet lab` with all kinds of texts, in real processes and with a test Hub."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlx_engine.cli.main import main
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.measure.study.plan import StudyPlan
from tests.hub.repository import Repository
from tests.hub.server import Hub

Output = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("hub", "home")

SENTENCE = "The tide comes in twice a day, and takes back what it has left behind. "


@pytest.fixture
def wikitext(hub: Hub) -> Repository:
    """The data set with the same layout as the original, and another text."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("wikitext-2-raw/wiki.test.raw", SENTENCE * 40)
    repository = hub.add(Repository("datasets/ggml-org/ci"))
    repository.commit({"wikitext-2-raw-v1.zip": packed.getvalue()})
    return repository


@pytest.fixture
def names(tiny_models: Path) -> list[str]:
    return [str(tiny_models / name) for name in ("llama", "llama-4bit")]


def _objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def _measure(names: list[str], corpus: str) -> int:
    return main(["measure", *names, "--corpus", corpus, "--chunk", "64", "--json"])


def test_a_data_set_is_downloaded_once_and_named_with_its_revision(
    names: list[str], hub: Hub, wikitext: Repository, capsys: Output
) -> None:
    """It is one text; afterwards, the name in the result selects the same text without the Hub."""
    assert _measure(names, "wikitext-2") == 0
    (first,) = _objects(capsys.readouterr().out)
    assert first["corpus"] == f"wikitext-2@{wikitext.main}"
    assert list(first["by_kind"]) == ["wikitext-2"]
    hub.repositories.clear()
    hub.requests.clear()
    assert _measure(names, first["corpus"]) == 0
    (second,) = _objects(capsys.readouterr().out)
    assert (second["reference_key"], second["mean_kl"]) == (first["reference_key"], first["mean_kl"])
    assert hub.requests == []


def test_a_plan_can_use_a_data_set(
    names: list[str], tiny_models: Path, tmp_path: Path, hub: Hub, wikitext: Repository, capsys: Output
) -> None:
    """The download is a step of the study; if it fails, running the study again retries it."""
    hub.add(Repository("datasets/ggml-org/ci", gated="auto")).commit(dict(wikitext.commits[wikitext.main]))
    plan = StudyPlan(
        name="published",
        original=names[0],
        candidates=(names[1],),
        corpus=CorpusSource(dataset="wikitext-2"),
        speed=None,
    )
    convention = msgspec.structs.replace(plan.convention, chunk_tokens=64)
    (tmp_path / "plan.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(plan, convention=convention)))
    assert main(["lab", "run", str(tmp_path / "plan.json"), "--json"]) == 1
    original, _ = _objects(capsys.readouterr().out)
    assert [failure["step"] for failure in original["failures"]] == ["fetch"]
    assert "Sign in first" in original["failures"][0]["message"]
    hub.add(wikitext)
    assert main(["lab", "run", str(tmp_path / "plan.json"), "--json"]) == 0
    _, candidate = _objects(capsys.readouterr().out)
    assert candidate["fidelity"][0]["corpus"] == f"wikitext-2@{wikitext.main}"


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ("wikitext-2", "datasets/ggml-org/ci doesn't exist"),
        ("hub:sea/tides/data.parquet", "is a Parquet file"),
        ("hub:sea", "is not the name of a text"),
        ("facet:verse", "has no part 'verse'"),
        ("pipe.txt", "a pipe or a device"),
        ("wikitext2", "Use a file, facet, facet:code,prose, wikitext-2, or hub:"),
        ("short.txt", "short.txt has 7 tokens, but a chunk has 64"),
        ("broken.jsonl", "broken.jsonl, line 2"),
    ],
)
def test_an_unusable_text_is_reported(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, corpus: str, message: str, capsys: Output
) -> None:
    """In one sentence, without waiting for a pipe."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.txt")
    Path("short.txt").write_text("Too short.")
    Path("broken.jsonl").write_text('{"text": "a"}\n{"text"')
    assert _measure(names, corpus) == 1
    out, err = capsys.readouterr()
    assert message in err
    assert out == ""


def test_a_data_set_without_the_text_is_reported(
    names: list[str], wikitext: Repository, home: Path, capsys: Output
) -> None:
    """With its contents and its location."""
    assert _measure(names, "hub:ggml-org/ci/wikitext-2-raw-v1.zip/train.txt") == 1
    err = capsys.readouterr().err
    assert "does not contain 'train.txt'. It contains wikitext-2-raw/wiki.test.raw." in err
    assert f"It was downloaded to {home / 'datasets' / 'ggml-org--ci'}" in err


def test_offline_a_data_set_is_not_downloaded(
    names: list[str], monkeypatch: pytest.MonkeyPatch, wikitext: Repository, capsys: Output
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert _measure(names, "wikitext-2") == 1
    assert "HF_HUB_OFFLINE is set" in capsys.readouterr().err


def test_candidates_read_the_same_text_as_the_original(
    names: list[str], tmp_path: Path, tiny_models: Path, capsys: Output
) -> None:
    """A file that changed meanwhile has no effect, because the tokens are stored."""
    text = tmp_path / "text.txt"
    text.write_text(SENTENCE * 20)
    original = tmp_path / "original"
    original.symlink_to(tiny_models / "llama")
    assert _measure([str(original), names[1]], str(text)) == 0
    (before,) = _objects(capsys.readouterr().out)
    text.write_text("Another text altogether.")
    original.unlink()
    assert _measure([str(original), names[1]], str(text)) == 0
    (after,) = _objects(capsys.readouterr().out)
    assert after["mean_kl"] == before["mean_kl"]
