"""Behaviour of job processes that measure, when they are killed."""

import contextlib
from pathlib import Path

import psutil
import pytest

from mlx_engine.cli import job
from mlx_engine.folders import Folders
from mlx_engine.measure.convention import Convention
from mlx_engine.measure.messages import AnswersKept, CorpusChoice, KeepAnswers
from mlx_engine.measure.reference import ReferenceStore


def test_answers_are_whole_however_often_the_process_was_killed(
    tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, after a chunk and after some: each later run goes on, and every chunk can be read in the end."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "home"))
    (tmp_path / "text.txt").write_text("The tide comes in twice a day, and takes back what it has left behind. " * 60)
    request = KeepAnswers(
        id="llama",
        model=str(tiny_models / "llama"),
        corpus=CorpusChoice(path=str(tmp_path / "text.txt")),
        convention=Convention(chunk_tokens=32),
    )
    folders = Folders.from_environment()
    for moment in (1, 2, 5):
        before = set(psutil.Process().children())
        run = job.run(request, folders)
        for _ in range(moment):
            next(run)
        for child in set(psutil.Process().children()) - before:
            child.kill()
        with contextlib.suppress(job.JobError):
            list(run)
    *_, kept = job.run(request, folders)
    assert isinstance(kept, AnswersKept)
    store = ReferenceStore.open(Path(kept.answers))
    assert store.is_whole
    assert all(len(store.read(number).counts) == 15 for number in range(len(store.header.kinds)))
