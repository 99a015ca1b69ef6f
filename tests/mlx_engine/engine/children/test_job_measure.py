"""Measuring job processes that are killed, run twice, or have a full disk."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mlx_engine.cli import job
from mlx_engine.folders import Folders
from mlx_engine.measure.mlx.reference import ReferenceStore
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.messages import CorpusSource, RecordReference, ReferenceProgress, ReferenceRecorded
from tests import processes


def test_answers_are_complete_after_several_kills(
    tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run resumes, and every chunk can be read in the end."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "home"))
    (tmp_path / "text.txt").write_text("The tide comes in twice a day, and takes back what it has left behind. " * 60)
    request = RecordReference(
        id="llama",
        model=str(tiny_models / "llama"),
        corpus=CorpusSource(path=str(tmp_path / "text.txt")),
        convention=Convention(chunk_tokens=32),
    )
    folders = Folders.from_environment()
    for moment in (1, 2, 5):
        before = processes.children()
        run = job.run(request, folders)
        for _ in range(moment):
            next(run)
        for child in processes.children() - before:
            child.kill()
        with contextlib.suppress(job.JobError):
            list(run)
    *_, result = job.run(request, folders)
    assert isinstance(result, ReferenceRecorded)
    store = ReferenceStore.open(Path(result.reference_folder))
    assert store.is_complete
    assert all(len(store.read(number).counts) == 15 for number in range(len(store.header.kinds)))


@pytest.fixture
def request_of_text(tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordReference:
    """A request for some twenty chunks, about half a megabyte of answers."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "home"))
    (tmp_path / "text.txt").write_text("The tide comes in twice a day, and takes back what it has left behind. " * 25)
    return RecordReference(
        id="llama",
        model=str(tiny_models / "llama"),
        corpus=CorpusSource(path=str(tmp_path / "text.txt")),
        convention=Convention(chunk_tokens=32),
    )


def test_two_processes_with_the_same_request_take_turns(request_of_text: RecordReference) -> None:
    """The second one waits and then finds all answers; no chunk is answered twice."""
    folders = Folders.from_environment()
    runs = [job.run(request_of_text, folders) for _ in range(2)]
    first = [next(run) for run in runs]
    with ThreadPoolExecutor() as threads:
        events = list(threads.map(list, runs))
    results = [answers[-1] for answers in events]
    assert all(isinstance(result, ReferenceRecorded) for result in results)
    assert len({result.reference_folder for result in results if isinstance(result, ReferenceRecorded)}) == 1
    answer_count = sum(isinstance(event, ReferenceProgress) for answers in events for event in answers)
    total = first[0].total if isinstance(first[0], ReferenceProgress) else 0
    assert answer_count == total > 1
    assert not list(folders.references.rglob("*.partial"))


def test_a_disk_too_small_for_the_answers_is_reported_after_the_first_chunk(
    request_of_text: RecordReference, tiny_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an estimate of their size, before the disk is full."""
    monkeypatch.setenv("FACET_HOME", str(tiny_disk))
    text = tmp_path / "text.txt"
    text.write_text(text.read_text() * 10)
    with pytest.raises(job.JobError, match=r"need about \d+ MB more, but only \d MB is free"):
        list(job.run(request_of_text, Folders.from_environment()))
    assert len(list(tiny_disk.rglob("chunk-*"))) == 1
