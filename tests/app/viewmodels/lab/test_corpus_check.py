"""What is said of a text before a study begins."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.bridges.questions import OnReply, Questions
from app.viewmodels.lab.corpus_check import CorpusCheck
from mlx_engine import network
from mlx_engine.folders import Folders
from mlx_engine.measure.results.messages import CorpusRead, CorpusSource, ReadCorpus
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.models.hub.datasets import parse_dataset
from mlx_engine.protocol import RequestFailed

TIMEOUT_MS = 30_000
COMMIT = "c0ffee" * 6 + "c0ff"


class TextAnswers:
    """Records questions in place of `Questions`; the test calls `answer`."""

    def __init__(self) -> None:
        self.asked: list[CorpusSource] = []
        self.answer: OnReply | None = None

    def ask(self, request: ReadCorpus, on_reply: OnReply, *, latest_only: bool) -> None:
        self.asked.append(request.corpus)
        self.answer = on_reply

    def close(self) -> None:
        self.answer = None


def _plan(corpus: CorpusSource) -> StudyPlan:
    return StudyPlan(name="a", original="o", candidates=("c",), corpus=corpus)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    monkeypatch.delenv(network.OFFLINE_VARIABLE, raising=False)
    return Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")


def test_a_file_is_looked_at_once_as_long_as_it_stays_as_it_is(folders: Folders, tmp_path: Path) -> None:
    """What is found is said, and what is wrong stands against the study."""
    questions = TextAnswers()
    text = CorpusCheck(folders, questions=questions)
    notes = tmp_path / "notes.txt"
    notes.write_text("It rains.")
    plan = _plan(CorpusSource(path=str(notes)))
    text.look(tmp_path, plan)
    assert text.is_reading
    text.look(tmp_path, plan)
    assert len(questions.asked) == 1
    assert questions.answer
    questions.answer(CorpusRead("", 8192, ("notes",)))
    assert (text.is_reading, text.problem) == (False, "")
    assert text.tokens == 8192
    notes.write_text("It has stopped.")
    text.look(tmp_path, plan)
    assert len(questions.asked) == 2
    questions.answer(RequestFailed(id="", error="BadCorpus", title="", message="notes.txt has 4 tokens."))
    assert text.problem == "notes.txt has 4 tokens."


def test_the_own_texts_need_no_look(folders: Folders, tmp_path: Path) -> None:
    questions = TextAnswers()
    text = CorpusCheck(folders, questions=questions)
    text.look(tmp_path, _plan(CorpusSource()))
    assert (questions.asked, text.is_reading, text.problem) == ([], False, "")


def test_a_data_set_is_fetched_later(folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where from is said; offline it cannot be, unless it is here."""
    questions = TextAnswers()
    text = CorpusCheck(folders, questions=questions)
    text.look(tmp_path, _plan(CorpusSource(dataset="wikitext-2")))
    assert "Downloads from the Hugging Face Hub when the study starts: ggml-org/ci" in text.summary
    assert (questions.asked, text.problem) == ([], "")
    monkeypatch.setenv(network.OFFLINE_VARIABLE, "1")
    assert "Facet is offline" in text.problem
    wanted = parse_dataset("wikitext-2")
    place = wanted.cached_revision(folders.datasets, COMMIT)
    (place.folder / wanted.file).parent.mkdir(parents=True)
    (place.folder / wanted.file).write_bytes(b"")
    (place.repository_folder / "refs").mkdir()
    (place.repository_folder / "refs" / "main").write_text(COMMIT)
    assert text.problem == ""
    assert f"at revision {COMMIT[:10]}" in text.summary


@pytest.fixture
def looking(folders: Folders, qtbot: QtBot) -> Iterator[CorpusCheck]:
    """With a real process that looks."""
    text = CorpusCheck(folders, questions=Questions(folders.logs))
    yield text
    text.close()


def test_a_process_says_what_the_study_would_say(
    looking: CorpusCheck, tiny_models: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    """With the tokenizer of the original; a pipe does not hold it up, nor what was asked before."""
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "short.txt").write_text("Too short.")
    (tmp_path / "long.txt").write_text("The tide comes in twice a day. " * 200)
    said = []
    for name in ("pipe.txt", "short.txt", "long.txt"):
        looking.look(tiny_models / "llama", _plan(CorpusSource(path=str(tmp_path / name))))
        qtbot.waitUntil(lambda: not looking.is_reading, timeout=TIMEOUT_MS)
        said.append(looking.problem)
    assert "a pipe or a device" in said[0]
    assert "tokens, but a chunk has 512" in said[1]
    assert said[2] == ""
