"""Behaviour of the names of data sets, and of fetching their texts in a job process from a small Hub."""

import io
import zipfile
from pathlib import Path

import pytest

from mlx_engine.errors import BadCorpus
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import DatasetFetched, DownloadProgress, FetchDataset
from mlx_engine.models.hub.datasets import find_local, is_dataset, parse_dataset
from mlx_engine.protocol import RequestFailed
from tests.hub.faults import Cut, Refuse, WrongContent
from tests.hub.job_process import JobProcess
from tests.hub.repository import HubFile, Repository
from tests.hub.server import Hub

TEXT = b"Robert is an English actor . \n" * 40_000


def _zipped(text: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("text.txt", text)
    return packed.getvalue()


@pytest.fixture
def tides(hub: Hub) -> Repository:
    """A data set with a small text and a large one."""
    repository = hub.add(Repository("datasets/sea/tides"))
    repository.commit({"deep/small.txt": b"The tide comes in.", "large.zip": _zipped(TEXT)})
    return repository


@pytest.fixture
def root(tides: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the processes of the test put what they fetch."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "facet"))
    return Folders.from_environment().datasets


@pytest.fixture
def job(root: Path, start_job_process: type[JobProcess]) -> JobProcess:
    return start_job_process()


def test_wikitext_2_is_the_text_that_llama_cpp_measures_on() -> None:
    """In a zip file, of which one text is meant."""
    found = parse_dataset("wikitext-2")
    assert (found.repository, found.file, found.member, found.revision) == (
        "datasets/ggml-org/ci",
        "wikitext-2-raw-v1.zip",
        "wikitext-2-raw/wiki.test.raw",
        "main",
    )


def test_a_name_says_where_a_text_is() -> None:
    """With its revision, it stays the same for ever."""
    found = parse_dataset("hub:sea/tides/deep/small.txt@v2")
    assert (found.repository, found.file, found.member) == ("datasets/sea/tides", "deep/small.txt", "")
    assert str(found) == "hub:sea/tides/deep/small.txt@v2"
    assert str(parse_dataset(str(parse_dataset("wikitext-2").at("c0ffee")))) == "wikitext-2@c0ffee"
    assert not is_dataset("notes/wikitext-2.txt")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hub:", "Write hub:OWNER/NAME"),
        ("hub:sea/tides", "Write hub:OWNER/NAME"),
        ("hub:sea/tides/../../secret.txt", "Write hub:OWNER/NAME"),
        ("hub:sea/tides//etc/passwd", "Write hub:OWNER/NAME"),
        ("hub:sea/tides/data.parquet", "is a Parquet file"),
        ("hub:sea/tides/all.zip/data.PARQUET", "is a Parquet file"),
        ("hub:sea/tides/data.txt.gz", "not a zip file"),
        ("hub:sea/tides/all.zip", "which: hub:sea/tides/all.zip/"),
    ],
)
def test_a_name_that_cannot_be_is_refused(name: str, words: str) -> None:
    """With what to write instead."""
    with pytest.raises(BadCorpus, match=words):
        parse_dataset(name)


def test_a_text_is_fetched_once(job: JobProcess, hub: Hub, tides: Repository, root: Path) -> None:
    """By its name with the commit it is found again, and the Hub is not asked any more."""
    fetched = job.answer(FetchDataset("1", "hub:sea/tides/deep/small.txt"))
    assert fetched == DatasetFetched("1", f"hub:sea/tides/deep/small.txt@{tides.main}")
    found = find_local(parse_dataset(fetched.dataset), root)
    assert found
    assert found[1].read_bytes() == b"The tide comes in."
    hub.seen.clear()
    tides.commit({"deep/small.txt": b"Another text."})
    assert job.answer(FetchDataset("2", "hub:sea/tides/deep/small.txt")) == DatasetFetched("2", fetched.dataset)
    assert hub.seen == []
    assert job.answer(FetchDataset("3", f"hub:sea/tides/deep/small.txt@{tides.main}")) == DatasetFetched(
        "3", f"hub:sea/tides/deep/small.txt@{tides.main}"
    )


def test_a_line_that_breaks_is_taken_up(job: JobProcess, hub: Hub, root: Path) -> None:
    """The progress is told, and what came is verified."""
    hub.order("/large/", Cut(after_bytes=100_000))
    *told, fetched = job.run(FetchDataset("1", "hub:sea/tides/large.zip/text.txt"))
    assert isinstance(fetched, DatasetFetched)
    assert any(isinstance(event, DownloadProgress) for event in told)
    found = find_local(parse_dataset(fetched.dataset), root)
    assert found
    assert found[1].read_bytes().count(b"Robert") == 40_000


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hub:sea/tides/nothing.txt", "has no file 'nothing.txt'"),
        ("hub:sea/tides/deep/small.txt@v9", "has no revision 'v9'"),
        ("hub:sea/waves/small.txt", "There is no repository datasets/sea/waves"),
        ("wikitext-3", "names no text"),
    ],
)
def test_what_is_not_there_is_told(job: JobProcess, name: str, words: str) -> None:
    """In a sentence, and nothing is left on the disk."""
    failed = job.answer(FetchDataset("1", name))
    assert isinstance(failed, RequestFailed)
    assert words in failed.message


def test_what_is_no_text_is_told_before_anything_is_made(job: JobProcess, tides: Repository) -> None:
    """It is looked into as soon as it is here."""
    tides.commit({"photo.txt": b"\xff\xd8\xff\xe0"})
    failed = job.answer(FetchDataset("1", "hub:sea/tides/photo.txt"))
    assert isinstance(failed, RequestFailed)
    assert "not UTF-8 text" in failed.message


def test_conditions_that_are_not_accepted_are_told(job: JobProcess, tides: Repository) -> None:
    """As with models."""
    tides.gated = "auto"
    failed = job.answer(FetchDataset("1", "hub:sea/tides/deep/small.txt"))
    assert isinstance(failed, RequestFailed)
    assert failed.error == "NeedsToken"


def test_what_is_no_text_any_more_is_not_kept(job: JobProcess, hub: Hub, root: Path) -> None:
    """A wrong content, however often it comes, is told."""
    hub.order("/deep/small.txt", WrongContent(), times=9, after=1)
    failed = job.answer(FetchDataset("1", "hub:sea/tides/deep/small.txt"))
    assert isinstance(failed, RequestFailed)
    assert failed.error == "WrongContent"
    assert find_local(parse_dataset("hub:sea/tides/deep/small.txt"), root) is None


def test_a_hub_in_trouble_is_told(job: JobProcess, hub: Hub) -> None:
    hub.order("small.txt", Refuse(503), times=9)
    failed = job.answer(FetchDataset("1", "hub:sea/tides/deep/small.txt"))
    assert isinstance(failed, RequestFailed)
    assert failed.error == "HubBusy"


def test_a_huge_file_is_not_fetched(job: JobProcess, hub: Hub, tides: Repository) -> None:
    """Only the beginning of it would be read."""
    tides.commit({"huge.zip": HubFile(b"x", claimed_size=5_000_000_000)})
    failed = job.answer(FetchDataset("1", "hub:sea/tides/huge.zip/text.txt"))
    assert isinstance(failed, RequestFailed)
    assert "5 GB" in failed.message
    assert hub.asked("/large/") == []


def test_offline_says_so(
    root: Path, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch, hub: Hub
) -> None:
    """What was fetched before is there all the same."""
    online = start_job_process()
    online.run(FetchDataset("1", "hub:sea/tides/deep/small.txt"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    offline = start_job_process()
    assert isinstance(offline.answer(FetchDataset("2", "hub:sea/tides/deep/small.txt")), DatasetFetched)
    failed = offline.answer(FetchDataset("3", "hub:sea/tides/large.zip/text.txt"))
    assert isinstance(failed, RequestFailed)
    assert failed.error == "Offline"
