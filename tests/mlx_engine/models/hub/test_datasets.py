"""Tests of data set names, and of downloading texts from a test Hub in a job process."""

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
    """The folder that the processes of the test download to."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "facet"))
    return Folders.from_environment().datasets


@pytest.fixture
def job(root: Path, start_job_process: type[JobProcess]) -> JobProcess:
    return start_job_process()


def test_wikitext_2_is_the_text_that_llama_cpp_measures_on() -> None:
    """It is one text in a zip file."""
    dataset = parse_dataset("wikitext-2")
    assert (dataset.repository, dataset.file, dataset.member, dataset.revision) == (
        "datasets/ggml-org/ci",
        "wikitext-2-raw-v1.zip",
        "wikitext-2-raw/wiki.test.raw",
        "main",
    )


def test_a_name_has_the_repository_the_file_and_the_revision() -> None:
    """A data set with a commit has a name that pins the text."""
    dataset = parse_dataset("hub:sea/tides/deep/small.txt@v2")
    assert (dataset.repository, dataset.file, dataset.member) == ("datasets/sea/tides", "deep/small.txt", "")
    assert str(dataset) == "hub:sea/tides/deep/small.txt@v2"
    assert str(parse_dataset(str(parse_dataset("wikitext-2").at("c0ffee")))) == "wikitext-2@c0ffee"
    assert not is_dataset("notes/wikitext-2.txt")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hub:", "Use hub:OWNER/NAME"),
        ("hub:sea/tides", "Use hub:OWNER/NAME"),
        ("hub:sea/tides/../../secret.txt", "Use hub:OWNER/NAME"),
        ("hub:sea/tides//etc/passwd", "Use hub:OWNER/NAME"),
        ("hub:sea/tides/data.parquet", "is a Parquet file"),
        ("hub:sea/tides/all.zip/data.PARQUET", "is a Parquet file"),
        ("hub:sea/tides/data.txt.gz", "not a zip file"),
        ("hub:sea/tides/all.zip", "Add the path: hub:sea/tides/all.zip/"),
    ],
)
def test_an_invalid_name_is_refused(name: str, message: str) -> None:
    """The error suggests a valid name."""
    with pytest.raises(BadCorpus, match=message):
        parse_dataset(name)


def test_a_text_is_fetched_once(job: JobProcess, hub: Hub, tides: Repository, root: Path) -> None:
    """Its name with the commit leads to the local file, without another request to the Hub."""
    fetched = job.answer(FetchDataset("1", "hub:sea/tides/deep/small.txt"))
    assert fetched == DatasetFetched("1", f"hub:sea/tides/deep/small.txt@{tides.main}")
    local = find_local(parse_dataset(fetched.dataset), root)
    assert local
    assert local[1].read_bytes() == b"The tide comes in."
    hub.requests.clear()
    tides.commit({"deep/small.txt": b"Another text."})
    assert job.answer(FetchDataset("2", "hub:sea/tides/deep/small.txt")) == DatasetFetched("2", fetched.dataset)
    assert hub.requests == []
    assert job.answer(FetchDataset("3", f"hub:sea/tides/deep/small.txt@{tides.main}")) == DatasetFetched(
        "3", f"hub:sea/tides/deep/small.txt@{tides.main}"
    )


def test_a_dropped_connection_is_resumed(job: JobProcess, hub: Hub, root: Path) -> None:
    """The progress is reported, and the result is verified."""
    hub.inject("/large/", Cut(after_bytes=100_000))
    *events, fetched = job.run(FetchDataset("1", "hub:sea/tides/large.zip/text.txt"))
    assert isinstance(fetched, DatasetFetched)
    assert any(isinstance(event, DownloadProgress) for event in events)
    local = find_local(parse_dataset(fetched.dataset), root)
    assert local
    assert local[1].read_bytes().count(b"Robert") == 40_000


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hub:sea/tides/nothing.txt", "has no file 'nothing.txt'"),
        ("hub:sea/tides/deep/small.txt@v9", "has no revision 'v9'"),
        ("hub:sea/waves/small.txt", "datasets/sea/waves doesn't exist"),
        ("wikitext-3", "is not the name of a text"),
    ],
)
def test_a_missing_text_is_reported(job: JobProcess, name: str, message: str) -> None:
    """The error names the missing repository, revision or file."""
    failed = job.answer(FetchDataset("1", name))
    assert isinstance(failed, RequestFailed)
    assert message in failed.message


def test_a_file_that_is_not_text_is_refused(job: JobProcess, tides: Repository) -> None:
    """It is checked right after the download."""
    tides.commit({"photo.txt": b"\xff\xd8\xff\xe0"})
    failed = job.answer(FetchDataset("1", "hub:sea/tides/photo.txt"))
    assert isinstance(failed, RequestFailed)
    assert "not UTF-8 text" in failed.message


def test_a_gated_data_set_requires_signing_in(job: JobProcess, tides: Repository) -> None:
    """The error is the same as for models."""
    tides.gated = "auto"
    failed = job.answer(FetchDataset("1", "hub:sea/tides/deep/small.txt"))
    assert isinstance(failed, RequestFailed)
    assert failed.error == "NeedsToken"


def test_wrong_content_is_not_stored(job: JobProcess, hub: Hub, root: Path) -> None:
    """If every attempt returns wrong content, the download fails."""
    hub.inject("/deep/small.txt", WrongContent(), times=9, after=1)
    failed = job.answer(FetchDataset("1", "hub:sea/tides/deep/small.txt"))
    assert isinstance(failed, RequestFailed)
    assert failed.error == "WrongContent"
    assert find_local(parse_dataset("hub:sea/tides/deep/small.txt"), root) is None


def test_an_unavailable_hub_is_reported(job: JobProcess, hub: Hub) -> None:
    hub.inject("small.txt", Refuse(503), times=9)
    failed = job.answer(FetchDataset("1", "hub:sea/tides/deep/small.txt"))
    assert isinstance(failed, RequestFailed)
    assert failed.error == "HubBusy"


def test_a_huge_file_is_not_downloaded(job: JobProcess, hub: Hub, tides: Repository) -> None:
    """Only the start of it would be read."""
    tides.commit({"huge.zip": HubFile(b"x", claimed_size=5_000_000_000)})
    failed = job.answer(FetchDataset("1", "hub:sea/tides/huge.zip/text.txt"))
    assert isinstance(failed, RequestFailed)
    assert "5 GB" in failed.message
    assert hub.requests_to("/large/") == []


def test_only_local_texts_are_available_offline(
    root: Path, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch, hub: Hub
) -> None:
    """A text that was downloaded before still works, and the error names the variable."""
    online = start_job_process()
    online.run(FetchDataset("1", "hub:sea/tides/deep/small.txt"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    offline = start_job_process()
    assert isinstance(offline.answer(FetchDataset("2", "hub:sea/tides/deep/small.txt")), DatasetFetched)
    failed = offline.answer(FetchDataset("3", "hub:sea/tides/large.zip/text.txt"))
    assert isinstance(failed, RequestFailed)
    assert failed.error == "Offline"
    assert "HF_HUB_OFFLINE" in failed.message
