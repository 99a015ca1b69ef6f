"""Checking and describing the text of a draft study."""

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
        self.requests: list[CorpusSource] = []
        self.answer: OnReply | None = None

    def ask(self, request: ReadCorpus, on_reply: OnReply, *, latest_only: bool) -> None:
        self.requests.append(request.corpus)
        self.answer = on_reply

    def close(self) -> None:
        self.answer = None


def _plan(corpus: CorpusSource) -> StudyPlan:
    return StudyPlan(name="a", original="o", candidates=("c",), corpus=corpus)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    monkeypatch.delenv(network.OFFLINE_VARIABLE, raising=False)
    return Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")


def test_a_file_is_checked_again_only_if_it_changes(folders: Folders, tmp_path: Path) -> None:
    questions = TextAnswers()
    corpus = CorpusCheck(folders, questions=questions)
    notes = tmp_path / "notes.txt"
    notes.write_text("It rains.")
    plan = _plan(CorpusSource(path=str(notes)))
    corpus.check(tmp_path, plan)
    assert corpus.is_reading
    corpus.check(tmp_path, plan)
    assert len(questions.requests) == 1
    assert questions.answer
    questions.answer(CorpusRead("", 8192, ("notes",)))
    assert (corpus.is_reading, corpus.problem) == (False, "")
    assert corpus.tokens == 8192
    notes.write_text("It has stopped.")
    corpus.check(tmp_path, plan)
    assert len(questions.requests) == 2
    questions.answer(RequestFailed(id="", error="BadCorpus", title="", message="notes.txt has 4 tokens."))
    assert corpus.problem == "notes.txt has 4 tokens."


def test_the_builtin_corpus_is_not_checked(folders: Folders, tmp_path: Path) -> None:
    questions = TextAnswers()
    corpus = CorpusCheck(folders, questions=questions)
    corpus.check(tmp_path, _plan(CorpusSource()))
    assert (questions.requests, corpus.is_reading, corpus.problem) == ([], False, "")


def test_a_data_set_is_downloaded_when_the_study_starts(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline that is a problem, unless it is downloaded already."""
    questions = TextAnswers()
    corpus = CorpusCheck(folders, questions=questions)
    corpus.check(tmp_path, _plan(CorpusSource(dataset="wikitext-2")))
    assert "downloaded from ggml-org/ci on the Hugging Face Hub when the study starts" in corpus.description
    assert (questions.requests, corpus.problem) == ([], "")
    monkeypatch.setenv(network.OFFLINE_VARIABLE, "1")
    assert "Facet is offline" in corpus.problem
    dataset = parse_dataset("wikitext-2")
    revision = dataset.cached_revision(folders.datasets, COMMIT)
    (revision.folder / dataset.file).parent.mkdir(parents=True)
    (revision.folder / dataset.file).write_bytes(b"")
    (revision.repository_folder / "refs").mkdir()
    (revision.repository_folder / "refs" / "main").write_text(COMMIT)
    assert corpus.problem == ""
    assert f"at revision {COMMIT[:10]}" in corpus.description


@pytest.fixture
def process_check(folders: Folders, qtbot: QtBot) -> Iterator[CorpusCheck]:
    """Return a check with a real process."""
    corpus = CorpusCheck(folders, questions=Questions(folders.logs))
    yield corpus
    corpus.close()


def test_a_process_checks_texts_as_the_study_would(
    process_check: CorpusCheck, tiny_models: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    """With the tokenizer of the original. Neither a pipe nor an earlier text delays it."""
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "short.txt").write_text("Too short.")
    (tmp_path / "long.txt").write_text("The tide comes in twice a day. " * 200)
    problems = []
    for name in ("pipe.txt", "short.txt", "long.txt"):
        process_check.check(tiny_models / "llama", _plan(CorpusSource(path=str(tmp_path / name))))
        qtbot.waitUntil(lambda: not process_check.is_reading, timeout=TIMEOUT_MS)
        problems.append(process_check.problem)
    assert "a pipe or a device" in problems[0]
    assert "tokens, but a chunk has 512" in problems[1]
    assert problems[2] == ""
