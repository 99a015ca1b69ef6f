import queue
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from mlx_engine.engine.parents.job_queue import JobParcel, JobQueue
from mlx_engine.engine.parents.queue_file import FILE_NAME
from mlx_engine.engine.values.job_state import Done, Failed, Paused, Queued, Running
from mlx_engine.errors import StorageError
from mlx_engine.folders import Folders
from mlx_engine.models.description import provenance
from mlx_engine.models.hub.cache import PARTIAL_SUFFIX, CachedRevision, cache_folder
from mlx_engine.models.hub.upload_messages import Publish
from mlx_engine.quantize.plan.messages import Convert
from mlx_engine.quantize.recipes.builtin import recipe
from tests.conversions import write_conversion
from tests.hub.faults import Hold
from tests.hub.fixtures import add_model
from tests.hub.repository import Repository
from tests.hub.server import Hub
from tests.model_folders import write_llama

MEGABYTE = 1 << 20
LARGE = 3 * MEGABYTE


class Owner:
    """The thread that owns a queue: it takes in the parcels one by one."""

    def __init__(self, folders: Folders) -> None:
        self._parcels: queue.SimpleQueue[JobParcel] = queue.SimpleQueue()
        self.changes: list[str] = []
        self.queue = JobQueue(post=self._parcels.put, on_change=self.changes.append, folders=folders)

    def state(self, id: str) -> object:
        return next((job.state for job in self.queue.jobs() if job.id == id), None)

    def until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            self.queue.receive(self._parcels.get(timeout=20))

    def until_state(self, id: str, kind: type) -> None:
        self.until(lambda: isinstance(self.state(id), kind))

    def until_half(self, id: str) -> None:
        """Take in parcels until a megabyte of the job is there."""
        self.until(lambda: isinstance(state := self.state(id), Running) and state.done_bytes > MEGABYTE)

    def close(self) -> None:
        self.queue.close()


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(data=tmp_path / "data", cache=tmp_path / "cache", logs=tmp_path / "logs")


@pytest.fixture
def own(hub: Hub, folders: Folders) -> Iterator[Callable[[], Owner]]:
    """Make queues on the same folders; all their processes end with the test."""
    owners: list[Owner] = []

    def own() -> Owner:
        owners.append(Owner(folders))
        return owners[-1]

    yield own
    for owner in owners:
        owner.close()


@pytest.fixture
def owner(own: Callable[[], Owner]) -> Owner:
    """A queue that starts what is put into it."""
    owner = own()
    owner.queue.go()
    return owner


def add_held(hub: Hub, id: str) -> Repository:
    """Put a model of three megabytes on the Hub, which stops its first download after two."""
    hub.order("/large/", Hold(after_bytes=2 * MEGABYTE))
    return add_model(hub, id, LARGE / 1e6)


def test_downloads_come_one_after_the_other(hub: Hub, own: Callable[[], Owner]) -> None:
    """The second waits until the first is done; both arrive."""
    first, second = add_model(hub, "jobs/first"), add_model(hub, "jobs/second")
    owner = own()
    one, two = owner.queue.download(first.id), owner.queue.download(second.id)
    assert isinstance(owner.state(one), Queued)
    owner.queue.go()
    assert isinstance(owner.state(one), Running)
    assert isinstance(owner.state(two), Queued)
    owner.until_state(one, Done)
    owner.until_state(two, Done)
    state = owner.state(two)
    assert isinstance(state, Done)
    assert Path(state.path, "config.json").exists()


def test_a_failure_does_not_hold_up_the_next(hub: Hub, owner: Owner) -> None:
    """The first is not there; its state says so, and the second arrives."""
    repository = add_model(hub, "jobs/after")
    one, two = owner.queue.download("jobs/absent"), owner.queue.download(repository.id)
    owner.until_state(two, Done)
    state = owner.state(one)
    assert isinstance(state, Failed)
    assert state.error == "HubNotFound"


def test_a_paused_download_goes_on(hub: Hub, owner: Owner) -> None:
    """While it is paused, the next one has its turn; afterwards the rest alone is read."""
    large, small = add_held(hub, "jobs/paused"), add_model(hub, "jobs/meanwhile")
    one, two = owner.queue.download(large.id), owner.queue.download(small.id)
    owner.until_half(one)
    owner.queue.pause(one)
    state = owner.state(one)
    assert isinstance(state, Paused)
    assert state.done_bytes > MEGABYTE
    owner.until_state(two, Done)

    owner.queue.resume(one)
    owner.until_state(one, Done)
    assert hub.asked("/large/")[-1].range.startswith("bytes=")


def test_the_queue_survives_a_restart(hub: Hub, own: Callable[[], Owner]) -> None:
    """What ran goes on at the same commit, although the branch has moved; what was paused stays so."""
    moving, other = add_held(hub, "jobs/restart"), add_model(hub, "jobs/other")
    before = own()
    one, two = before.queue.download(moving.id), before.queue.download(other.id)
    before.queue.pause(two)
    before.queue.go()
    before.until_half(one)
    before.close()
    commit = moving.main
    moving.commit({"config.json": b"{}", "model.safetensors": b"new"})

    after = own()
    assert isinstance(after.state(one), Queued)
    after.queue.go()
    after.until_state(one, Done)
    assert isinstance(after.state(two), Paused)
    state = after.state(one)
    assert isinstance(state, Done)
    assert Path(state.path).name == commit
    assert (Path(state.path).parents[1] / "refs" / "main").read_text() == commit


def test_a_cancelled_download_leaves_nothing(hub: Hub, owner: Owner) -> None:
    """The job is gone at once, the half file when its process has ended."""
    repository = add_held(hub, "jobs/cancelled")
    one = owner.queue.download(repository.id)
    owner.until_half(one)
    folder = CachedRevision.of(cache_folder(), repository.id, repository.main).repository_folder
    assert list(folder.glob(f"blobs/*{PARTIAL_SUFFIX}"))
    owner.queue.cancel(one)
    assert owner.queue.jobs() == []
    owner.until(lambda: not folder.exists())


def test_a_process_that_is_killed_is_a_failure_that_can_be_tried_again(hub: Hub, owner: Owner) -> None:
    """The state says why it ended, and the next try ends well."""
    repository = add_held(hub, "jobs/killed")
    one = owner.queue.download(repository.id)
    owner.until_half(one)
    next(child for child in psutil.Process().children() if _works_on(child, repository.id)).kill()
    owner.until_state(one, Failed)
    assert "killed from outside" in getattr(owner.state(one), "message", "")
    assert " process " in owner.queue.log_tail(one)
    owner.queue.resume(one)
    owner.until_state(one, Done)
    owner.queue.cancel(one)
    assert owner.queue.log_tail(one) == ""


def _works_on(child: psutil.Process, repository: str) -> bool:
    return any(repository.replace("/", "--") in file.path for file in child.open_files())


def test_the_same_download_is_not_queued_twice(hub: Hub, own: Callable[[], Owner]) -> None:
    """Asking again for what is paused lets it go on."""
    owner = own()
    one = owner.queue.download("jobs/same")
    owner.queue.pause(one)
    assert owner.queue.download("jobs/same") == one
    assert isinstance(owner.state(one), Queued)
    assert owner.queue.download("jobs/same", include=("*.gguf",)) != one


def test_nothing_starts_while_facet_is_offline(
    hub: Hub, own: Callable[[], Owner], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It begins when the switch is turned and the queue told."""
    repository = add_model(hub, "jobs/offline")
    monkeypatch.setenv("FACET_OFFLINE", "1")
    owner = own()
    owner.queue.go()
    one = owner.queue.download(repository.id)
    assert isinstance(owner.state(one), Queued)
    monkeypatch.setenv("FACET_OFFLINE", "0")
    owner.queue.go()
    owner.until_state(one, Done)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'[{"request": {"type": "download"}}]'])
def test_a_damaged_file_is_an_empty_queue(folders: Folders, own: Callable[[], Owner], content: bytes) -> None:
    """Facet starts, and the next change repairs the file."""
    folders.data.mkdir()
    (folders.data / FILE_NAME).write_bytes(content)
    owner = own()
    assert owner.queue.jobs() == []
    owner.queue.download("jobs/next")
    assert [job.request.repository for job in own().queue.jobs()] == ["jobs/next"]


def conversion(folders: Folders, source: Path, name: str = "4bit") -> Convert:
    target = folders.models / "maker" / f"model-{name}"
    model_id = f"maker/{target.name}"
    return Convert(id=name, source=str(source), target=str(target), model_id=model_id, recipe=recipe(name))


def partials(folders: Folders) -> list[Path]:
    return list(folders.models.glob("*/*.partial"))


@pytest.fixture
def large(tiny_models: Path, tmp_path: Path) -> Path:
    """A model that takes a while in a micro-scaled format."""
    return write_llama(tmp_path / "large", tiny_models / "llama")


def begin_conversion(owner: Owner, folders: Folders, source: Path) -> str:
    """Return the id of a conversion of which some is written, but not all."""
    job = owner.queue.add(conversion(folders, source, "mxfp4"))
    owner.until(lambda: isinstance(state := owner.state(job), Running) and 0 < state.done_bytes < state.total_bytes)
    return job


def test_a_conversion_and_a_download_run_beside_each_other(
    hub: Hub, owner: Owner, folders: Folders, tiny_models: Path
) -> None:
    """The conversion is done while the download is still held up; the model is where it should be."""
    download = owner.queue.download(add_held(hub, "jobs/beside").id)
    converted = owner.queue.add(conversion(folders, tiny_models / "llama"))
    owner.until_state(converted, Done)
    assert isinstance(owner.state(download), Running)
    state = owner.state(converted)
    assert isinstance(state, Done)
    assert (Path(state.path) / "config.json").exists()
    assert {kept.reason for kept in state.kept} == {"a norm"}


def test_a_paused_conversion_keeps_its_work(owner: Owner, folders: Folders, large: Path, tiny_models: Path) -> None:
    """The next one has its turn meanwhile; then it goes on where it was."""
    one = begin_conversion(owner, folders, large)
    owner.queue.pause(one)
    paused = owner.state(one)
    assert isinstance(paused, Paused)
    assert paused.done_bytes
    owner.until_state(owner.queue.add(conversion(folders, tiny_models / "llama")), Done)
    assert len(partials(folders)) == 1
    owner.queue.resume(one)
    going_on = owner.state(one)
    assert isinstance(going_on, Running)
    assert (going_on.done_bytes, going_on.total_bytes) == (paused.done_bytes, paused.total_bytes)
    owner.until_state(one, Done)


def test_a_cancelled_conversion_leaves_nothing_also_while_it_is_paused(
    owner: Owner, folders: Folders, large: Path
) -> None:
    """The job is gone at once, its folder when the process has ended."""
    one = begin_conversion(owner, folders, large)
    owner.queue.pause(one)
    owner.queue.cancel(one)
    assert owner.queue.jobs() == []
    owner.until(lambda: not partials(folders))
    assert not (folders.models / "maker" / "model-mxfp4").exists()


def test_a_conversion_begins_anew_after_a_restart(own: Callable[[], Owner], folders: Folders, large: Path) -> None:
    """In between there is nothing of it but its place in the queue."""
    before = own()
    before.queue.go()
    one = begin_conversion(before, folders, large)
    before.close()
    assert partials(folders) == []
    after = own()
    assert isinstance(after.state(one), Queued)
    after.queue.go()
    after.until_state(one, Done)


def test_what_a_killed_facet_has_left_is_swept_away(own: Callable[[], Owner], folders: Folders) -> None:
    """Before anything else begins."""
    (folders.models / "maker" / "model.partial").mkdir(parents=True)
    own().queue.go()
    assert partials(folders) == []


def test_two_conversions_into_one_folder_are_refused(own: Callable[[], Owner], folders: Folders, large: Path) -> None:
    """The same one twice is one; another recipe for the same name is an error."""
    owner = own()
    one = conversion(folders, large, "mxfp4")
    assert owner.queue.add(one) == owner.queue.add(msgspec.structs.replace(one, id="again")) == one.id
    with pytest.raises(StorageError, match="maker/model-mxfp4 is being made already"):
        owner.queue.add(msgspec.structs.replace(one, recipe=recipe("nvfp4")))


def test_conversions_do_not_need_the_network(
    hub: Hub, owner: Owner, folders: Folders, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While Facet is offline they are done; going offline puts back what is being downloaded."""
    download = owner.queue.download(add_held(hub, "jobs/switched").id)
    owner.until_half(download)
    monkeypatch.setenv("FACET_OFFLINE", "1")
    owner.queue.follow_switch()
    assert isinstance(owner.state(download), Queued)
    owner.until_state(owner.queue.add(conversion(folders, tiny_models / "llama")), Done)
    assert isinstance(owner.state(download), Queued)
    monkeypatch.setenv("FACET_OFFLINE", "0")
    owner.queue.follow_switch()
    owner.until_state(download, Done)


def test_a_repository_is_downloaded_and_converted_by_one_job(
    hub: Hub, own: Callable[[], Owner], folders: Folders, tiny_models: Path
) -> None:
    """It survives a restart in the middle of the download; the source is removed, as asked for."""
    repository = Repository("jobs/both")
    commit = repository.commit({file.name: file.read_bytes() for file in (tiny_models / "llama").iterdir()})
    hub.add(repository)
    hub.order("/model.safetensors", Hold(after_bytes=100_000))
    wanted = conversion(folders, Path(), "4bit-g32")
    before = own()
    before.queue.go()
    one = before.queue.add(msgspec.structs.replace(wanted, source="", repository=repository.id, remove_source=True))
    before.until(lambda: isinstance(state := before.state(one), Running) and state.total_bytes > 0)
    before.close()
    after = own()
    after.queue.go()
    after.until_state(one, Done)
    note = provenance.read(Path(wanted.target))
    assert (note.source, note.revision) == (repository.id, commit)
    assert not list(cache_folder().glob("models--jobs--both/blobs/*"))


def publication(hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Return the order to publish a conversion of three megabytes, for somebody who may."""
    hub.tokens["hf_writing"] = "ada"
    monkeypatch.setenv("HF_TOKEN", "hf_writing")
    write_conversion(folder, megabytes=3)
    return Publish(id="publish", folder=str(folder), repository="ada/Whale", card="# Whale\n")


def test_publishing_goes_on_after_a_restart(
    hub: Hub, own: Callable[[], Owner], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue keeps what was agreed to, card included; the token stands in no file."""
    request = publication(hub, tmp_path / "Whale", monkeypatch)
    hold = Hold(MEGABYTE)
    hub.order("/store/", hold)
    first = own()
    job = first.queue.add(request)
    first.queue.go()
    assert hold.reached.wait(20)
    kept = (tmp_path / "data" / FILE_NAME).read_bytes()
    assert b"# Whale" in kept
    assert b"hf_writing" not in kept
    first.close()

    second = own()
    second.queue.go()
    second.until_state(job, Done)
    assert "model.safetensors" in hub.repositories["ada/Whale"].commits[hub.repositories["ada/Whale"].main]


def test_publishing_that_is_paused_goes_on(
    hub: Hub, owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile the network is free for a download; a second order for the same is the same job."""
    request = publication(hub, tmp_path / "Whale", monkeypatch)
    hold = Hold(MEGABYTE)
    hub.order("/store/", hold)
    job = owner.queue.add(request)
    owner.until(hold.reached.is_set)
    owner.queue.pause(job)
    assert isinstance(owner.state(job), Paused)
    other = owner.queue.download(add_model(hub, "jobs/other").id)
    owner.until_state(other, Done)
    assert owner.queue.add(msgspec.structs.replace(request, id="again")) == job
    owner.until_state(job, Done)
    with pytest.raises(StorageError):
        owner.queue.add(msgspec.structs.replace(request, id="third", folder=str(tmp_path / "Other")))
