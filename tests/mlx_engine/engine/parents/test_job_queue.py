import contextlib
import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from mlx_engine.engine.parents.client import Parcel
from mlx_engine.engine.parents.job_queue import JobQueue
from mlx_engine.engine.parents.queue_file import FILE_NAME
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.engine.values.job_state import Done, Failed, Paused, Queued, Running
from mlx_engine.errors import StorageError
from mlx_engine.folders import Folders
from mlx_engine.models.description import provenance
from mlx_engine.models.hub.cache import PARTIAL_SUFFIX, CachedRevision, cache_folder
from mlx_engine.models.hub.upload_messages import Publish
from mlx_engine.quantize.plan.messages import Convert
from mlx_engine.quantize.recipes.builtin import recipe
from tests import pausing_job, processes
from tests.conversions import write_conversion
from tests.hub.faults import Hold
from tests.hub.fixtures import add_model
from tests.hub.repository import Repository
from tests.hub.server import Hub
from tests.model_folders import write_llama

MEGABYTE = 1 << 20
LARGE = 3 * MEGABYTE

pytestmark = pytest.mark.process


class Owner:
    """The owner of a queue: passes parcels to it one by one."""

    def __init__(self, folders: Folders) -> None:
        self._parcels: queue.SimpleQueue[Parcel[JobEvent]] = queue.SimpleQueue()
        self.changes: list[str] = []
        self.queue = JobQueue(
            post=self._parcels.put, on_change=self.changes.append, folders=folders, command=pausing_job.COMMAND
        )

    def state(self, id: str) -> object:
        return next((job.state for job in self.queue.jobs() if job.id == id), None)

    def until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            self.queue.receive(self._parcels.get(timeout=20))

    def until_state(self, id: str, kind: type) -> None:
        self.until(lambda: isinstance(self.state(id), kind))

    def until_half(self, id: str) -> None:
        """Handle parcels until a megabyte of the job is done."""
        self.until(lambda: isinstance(state := self.state(id), Running) and state.done_bytes > MEGABYTE)

    def close(self) -> None:
        self.queue.close()


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(data=tmp_path / "data", cache=tmp_path / "cache", logs=tmp_path / "logs")


@pytest.fixture
def start_owner(hub: Hub, folders: Folders) -> Iterator[Callable[[], Owner]]:
    """Make queues on the same folders; all their processes end with the test."""
    owners: list[Owner] = []

    def start_owner() -> Owner:
        owners.append(Owner(folders))
        return owners[-1]

    yield start_owner
    for owner in owners:
        owner.close()


@pytest.fixture
def owner(start_owner: Callable[[], Owner]) -> Owner:
    """A queue that has been started."""
    owner = start_owner()
    owner.queue.start()
    return owner


def add_held(hub: Hub, id: str) -> Repository:
    """Put a 3 MB model on the Hub, which holds the first download after 2 MB."""
    hub.inject("/large/", Hold(after_bytes=2 * MEGABYTE))
    return add_model(hub, id, LARGE / 1e6)


def test_downloads_run_one_after_the_other(hub: Hub, start_owner: Callable[[], Owner]) -> None:
    """The second one waits until the first is done."""
    first, second = add_model(hub, "jobs/first"), add_model(hub, "jobs/second")
    owner = start_owner()
    job, other_job = owner.queue.download(first.id), owner.queue.download(second.id)
    assert isinstance(owner.state(job), Queued)
    owner.queue.start()
    assert isinstance(owner.state(job), Running)
    assert isinstance(owner.state(other_job), Queued)
    owner.until_state(job, Done)
    owner.until_state(other_job, Done)
    state = owner.state(other_job)
    assert isinstance(state, Done)
    assert Path(state.path, "config.json").exists()


def test_a_failure_does_not_hold_up_the_next(hub: Hub, owner: Owner) -> None:
    """The first repository does not exist; the second download succeeds."""
    repository = add_model(hub, "jobs/after")
    job, other_job = owner.queue.download("jobs/absent"), owner.queue.download(repository.id)
    owner.until_state(other_job, Done)
    state = owner.state(job)
    assert isinstance(state, Failed)
    assert state.error == "HubNotFound"


def test_a_paused_download_resumes(hub: Hub, owner: Owner) -> None:
    """While it is paused, the next one runs; then only the missing part is downloaded."""
    large, small = add_held(hub, "jobs/paused"), add_model(hub, "jobs/meanwhile")
    job, other_job = owner.queue.download(large.id), owner.queue.download(small.id)
    owner.until_half(job)
    owner.queue.pause(job)
    state = owner.state(job)
    assert isinstance(state, Paused)
    assert state.done_bytes > MEGABYTE
    owner.until_state(other_job, Done)

    owner.queue.resume(job)
    owner.until_state(job, Done)
    assert hub.requests_to("/large/")[-1].range.startswith("bytes=")


def test_the_queue_survives_a_restart(hub: Hub, start_owner: Callable[[], Owner]) -> None:
    """A running job resumes at the same commit, although the branch has moved; a paused one stays paused."""
    moving, other = add_held(hub, "jobs/restart"), add_model(hub, "jobs/other")
    before = start_owner()
    job, other_job = before.queue.download(moving.id), before.queue.download(other.id)
    before.queue.pause(other_job)
    before.queue.start()
    before.until_half(job)
    before.close()
    commit = moving.main
    moving.commit({"config.json": b"{}", "model.safetensors": b"new"})

    after = start_owner()
    assert isinstance(after.state(job), Queued)
    after.queue.start()
    after.until_state(job, Done)
    assert isinstance(after.state(other_job), Paused)
    state = after.state(job)
    assert isinstance(state, Done)
    assert Path(state.path).name == commit
    assert (Path(state.path).parents[1] / "refs" / "main").read_text() == commit


def test_a_canceled_download_leaves_nothing(hub: Hub, owner: Owner) -> None:
    """The job is gone at once, its partial file once its process has ended."""
    repository = add_held(hub, "jobs/cancelled")
    job = owner.queue.download(repository.id)
    owner.until_half(job)
    folder = CachedRevision.of(cache_folder(), repository.id, repository.main).repository_folder
    assert list(folder.glob(f"blobs/*{PARTIAL_SUFFIX}"))
    owner.queue.cancel(job)
    assert owner.queue.jobs() == []
    owner.until(lambda: not folder.exists())


def test_a_killed_process_is_a_failure_that_can_be_retried(hub: Hub, owner: Owner) -> None:
    """The state has the reason, and the next attempt succeeds."""
    repository = add_held(hub, "jobs/killed")
    job = owner.queue.download(repository.id)
    owner.until_half(job)
    next(child for child in processes.children() if _works_on(child, repository.id)).kill()
    owner.until_state(job, Failed)
    assert "was killed" in getattr(owner.state(job), "message", "")
    assert " process " in owner.queue.log_tail(job)
    owner.queue.resume(job)
    owner.until_state(job, Done)
    owner.queue.cancel(job)
    assert owner.queue.log_tail(job) == ""


def _works_on(child: psutil.Process, repository: str) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return any(repository.replace("/", "--") in file.path for file in child.open_files())
    return False


def test_the_same_download_is_not_queued_twice(hub: Hub, start_owner: Callable[[], Owner]) -> None:
    """Adding a paused download again resumes it."""
    owner = start_owner()
    job = owner.queue.download("jobs/same")
    owner.queue.pause(job)
    assert owner.queue.download("jobs/same") == job
    assert isinstance(owner.state(job), Queued)
    assert owner.queue.download("jobs/same", include=("*.gguf",)) != job


def test_nothing_starts_while_facet_is_offline(
    hub: Hub, start_owner: Callable[[], Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The download starts once the switch is off and the queue refreshed."""
    repository = add_model(hub, "jobs/offline")
    monkeypatch.setenv("FACET_OFFLINE", "1")
    owner = start_owner()
    owner.queue.start()
    job = owner.queue.download(repository.id)
    assert isinstance(owner.state(job), Queued)
    monkeypatch.setenv("FACET_OFFLINE", "0")
    owner.queue.start()
    owner.until_state(job, Done)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'[{"request": {"type": "download"}}]'])
def test_a_damaged_file_is_an_empty_queue(folders: Folders, start_owner: Callable[[], Owner], content: bytes) -> None:
    """Facet starts, and the next change repairs the file."""
    folders.data.mkdir()
    (folders.data / FILE_NAME).write_bytes(content)
    owner = start_owner()
    assert owner.queue.jobs() == []
    owner.queue.download("jobs/next")
    assert [job.request.repository for job in start_owner().queue.jobs()] == ["jobs/next"]


def conversion(folders: Folders, source: Path, name: str = "4bit") -> Convert:
    target = folders.models / "maker" / f"model-{name}"
    model_id = f"maker/{target.name}"
    return Convert(id=name, source=str(source), target=str(target), model_id=model_id, recipe=recipe(name))


def partials(folders: Folders) -> list[Path]:
    return list(folders.models.glob("*/*.partial"))


@pytest.fixture
def large(tiny_models: Path, tmp_path: Path) -> Path:
    """A model whose conversion is written in several pieces."""
    return write_llama(tmp_path / "large", tiny_models / "llama")


def begin_conversion(owner: Owner, folders: Folders, source: Path) -> str:
    """Return the id of a conversion that is partly written, and paused."""
    job = owner.queue.add(conversion(folders, pausing_job.pause_midway(source), "mxfp4"))
    owner.until(lambda: isinstance(state := owner.state(job), Running) and 0 < state.done_bytes < state.total_bytes)
    return job


def test_a_conversion_and_a_download_run_in_parallel(
    hub: Hub, owner: Owner, folders: Folders, tiny_models: Path
) -> None:
    """The conversion finishes while the Hub holds the download."""
    download = owner.queue.download(add_held(hub, "jobs/beside").id)
    converted = owner.queue.add(conversion(folders, tiny_models / "llama"))
    owner.until_state(converted, Done)
    assert isinstance(owner.state(download), Running)
    state = owner.state(converted)
    assert isinstance(state, Done)
    assert (Path(state.path) / "config.json").exists()
    assert {tensor.reason for tensor in state.unquantized} == {"a norm"}


def test_a_paused_conversion_keeps_its_work(owner: Owner, folders: Folders, large: Path, tiny_models: Path) -> None:
    """The next one runs while it is paused; then it continues where it was."""
    job = begin_conversion(owner, folders, large)
    owner.queue.pause(job)
    paused = owner.state(job)
    assert isinstance(paused, Paused)
    assert paused.done_bytes
    owner.until_state(owner.queue.add(conversion(folders, tiny_models / "llama")), Done)
    assert len(partials(folders)) == 1
    owner.queue.resume(job)
    going_on = owner.state(job)
    assert isinstance(going_on, Running)
    assert (going_on.done_bytes, going_on.total_bytes) == (paused.done_bytes, paused.total_bytes)
    owner.until_state(job, Done)


def test_a_canceled_conversion_leaves_nothing_even_if_paused(owner: Owner, folders: Folders, large: Path) -> None:
    """The job is gone at once, its folder once the process has ended."""
    job = begin_conversion(owner, folders, large)
    owner.queue.pause(job)
    owner.queue.cancel(job)
    assert owner.queue.jobs() == []
    owner.until(lambda: not partials(folders))
    assert not (folders.models / "maker" / "model-mxfp4").exists()


def test_a_conversion_starts_over_after_a_restart(
    start_owner: Callable[[], Owner], folders: Folders, large: Path
) -> None:
    """Between the runs only its entry in the queue remains."""
    before = start_owner()
    before.queue.start()
    job = begin_conversion(before, folders, large)
    before.close()
    assert partials(folders) == []
    after = start_owner()
    assert isinstance(after.state(job), Queued)
    after.queue.start()
    after.until_state(job, Done)


def test_partial_folders_of_a_killed_facet_are_deleted(start_owner: Callable[[], Owner], folders: Folders) -> None:
    """Before any job starts."""
    (folders.models / "maker" / "model.partial").mkdir(parents=True)
    start_owner().queue.start()
    assert partials(folders) == []


def test_two_conversions_into_one_folder_are_refused(
    start_owner: Callable[[], Owner], folders: Folders, large: Path
) -> None:
    """The same request twice is one job; another recipe for the same name is an error."""
    owner = start_owner()
    job = conversion(folders, large, "mxfp4")
    assert owner.queue.add(job) == owner.queue.add(msgspec.structs.replace(job, id="again")) == job.id
    with pytest.raises(StorageError, match="maker/model-mxfp4 is already being created with another recipe"):
        owner.queue.add(msgspec.structs.replace(job, recipe=recipe("nvfp4")))


def test_conversions_do_not_need_the_network(
    hub: Hub, owner: Owner, folders: Folders, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run while Facet is offline; going offline puts a running download back into the queue."""
    download = owner.queue.download(add_held(hub, "jobs/switched").id)
    owner.until_half(download)
    monkeypatch.setenv("FACET_OFFLINE", "1")
    owner.queue.refresh_network()
    assert isinstance(owner.state(download), Queued)
    owner.until_state(owner.queue.add(conversion(folders, tiny_models / "llama")), Done)
    assert isinstance(owner.state(download), Queued)
    monkeypatch.setenv("FACET_OFFLINE", "0")
    owner.queue.refresh_network()
    owner.until_state(download, Done)


def test_a_repository_is_downloaded_and_converted_by_one_job(
    hub: Hub, start_owner: Callable[[], Owner], folders: Folders, tiny_models: Path
) -> None:
    """It survives a restart during the download; the source is removed, as requested."""
    repository = Repository("jobs/both")
    commit = repository.commit({file.name: file.read_bytes() for file in (tiny_models / "llama").iterdir()})
    hub.add(repository)
    hub.inject("/model.safetensors", Hold(after_bytes=100_000))
    expected = conversion(folders, Path(), "4bit-g32")
    before = start_owner()
    before.queue.start()
    job = before.queue.add(msgspec.structs.replace(expected, source="", repository=repository.id, remove_source=True))
    before.until(lambda: isinstance(state := before.state(job), Running) and state.total_bytes > 0)
    before.close()
    after = start_owner()
    after.queue.start()
    after.until_state(job, Done)
    note = provenance.read(Path(expected.target))
    assert (note.source, note.revision) == (repository.id, commit)
    assert not list(cache_folder().glob("models--jobs--both/blobs/*"))


def publication(hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Return a request to publish a 3 MB conversion, with a valid token."""
    hub.tokens["hf_writing"] = "ada"
    monkeypatch.setenv("HF_TOKEN", "hf_writing")
    write_conversion(folder, megabytes=3)
    return Publish(id="publish", folder=str(folder), repository="ada/Whale", card="# Whale\n")


def test_publishing_resumes_after_a_restart(
    hub: Hub, start_owner: Callable[[], Owner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue keeps the confirmed request with its card; no file has the token."""
    request = publication(hub, tmp_path / "Whale", monkeypatch)
    hold = Hold(MEGABYTE)
    hub.inject("/store/", hold)
    first = start_owner()
    job = first.queue.add(request)
    first.queue.start()
    assert hold.reached.wait(20)
    saved = (tmp_path / "data" / FILE_NAME).read_bytes()
    assert b"# Whale" in saved
    assert b"hf_writing" not in saved
    first.close()

    second = start_owner()
    second.queue.start()
    second.until_state(job, Done)
    assert "model.safetensors" in hub.repositories["ada/Whale"].commits[hub.repositories["ada/Whale"].main]


def test_paused_publishing_resumes(hub: Hub, owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is paused a download can run; the same request again is the same job."""
    request = publication(hub, tmp_path / "Whale", monkeypatch)
    hold = Hold(MEGABYTE)
    hub.inject("/store/", hold)
    job = owner.queue.add(request)
    assert hold.reached.wait(20)
    owner.queue.pause(job)
    assert isinstance(owner.state(job), Paused)
    other = owner.queue.download(add_model(hub, "jobs/other").id)
    owner.until_state(other, Done)
    assert owner.queue.add(msgspec.structs.replace(request, id="again")) == job
    owner.until_state(job, Done)
    with pytest.raises(StorageError):
        owner.queue.add(msgspec.structs.replace(request, id="third", folder=str(tmp_path / "Other")))
