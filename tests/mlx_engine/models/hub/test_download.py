import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import (
    Download,
    Downloaded,
    DownloadPlanned,
    DownloadProgress,
    RemoteFile,
    Waiting,
)
from mlx_engine.models.hub.cache import CachedRevision, cache_folder
from mlx_engine.protocol import RequestFailed
from tests.hub.faults import Cut, Fault, Hold, NoRange, Refuse, Slow, WrongContent, WrongLength, WrongRedirect
from tests.hub.fixtures import add_model, model_files, sha256
from tests.hub.job_process import JobProcess
from tests.hub.repository import HubFile, Repository
from tests.hub.server import Hub

MEGABYTE = 1 << 20
NEEDED = {"README.md", "config.json", "tokenizer.json", "model.safetensors"}


def downloaded(events: list[JobEvent]) -> Path:
    """Return the folder of a download that succeeded."""
    assert isinstance(events[-1], Downloaded), events[-1]
    return Path(events[-1].path)


def failed(event: JobEvent) -> RequestFailed:
    assert isinstance(event, RequestFailed), event
    return event


def weights(repository: Repository) -> RemoteFile:
    file = repository.commits[repository.main]["model.safetensors"]
    return RemoteFile("model.safetensors", file.size, file.digest())


def revision(repository: Repository) -> CachedRevision:
    return CachedRevision.of(cache_folder(), repository.id, repository.main)


def test_only_the_files_a_model_needs_are_downloaded(hub: Hub, job: JobProcess) -> None:
    """These are weights, configuration, tokenizer and card; not pickles, code or subfolders."""
    repository = add_model(hub, "download/needed")
    folder = downloaded(job.run(Download(id="a", repository=repository.id)))

    assert {path.name for path in folder.rglob("*") if path.is_file()} == NEEDED
    assert sha256(folder / "model.safetensors") == weights(repository).digest
    assert not hub.requests_to("pytorch_model.bin")


def test_progress_adds_up_to_the_plan(hub: Hub, job: JobProcess) -> None:
    """The plan has the size of every file. The progress never decreases and ends at the total."""
    repository = add_model(hub, "download/progress", megabytes=4)
    hub.inject("/large/", Slow(8_000_000))
    events = job.run(Download(id="a", repository=repository.id))

    plan = events[0]
    assert isinstance(plan, DownloadPlanned)
    assert plan.missing_bytes == plan.total_bytes == sum(file.total_bytes for file in plan.files)
    done = [event.done_bytes for event in events if isinstance(event, DownloadProgress)]
    assert len(done) > 1
    assert done == sorted(done)
    assert done[-1] == plan.total_bytes


def test_other_apps_find_the_model_in_the_cache(hub: Hub, job: JobProcess) -> None:
    """`huggingface_hub` returns the same folder, and its scan of the cache has no warnings."""
    repository = add_model(hub, "download/shared")
    folder = downloaded(job.run(Download(id="a", repository=repository.id)))
    program = (
        "import json; from huggingface_hub import scan_cache_dir, try_to_load_from_cache as find\n"
        f"warnings = [str(warning) for warning in scan_cache_dir().warnings if 'download--shared' in str(warning)]\n"
        f"print(json.dumps([find({repository.id!r}, 'config.json'), warnings]))"
    )
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert json.loads(output) == [str(folder / "config.json"), []]


def test_a_model_downloaded_by_another_app_is_not_downloaded_again(hub: Hub, job: JobProcess) -> None:
    """The other app uses `snapshot_download`."""
    repository = add_model(hub, "download/foreign")
    program = f"from huggingface_hub import snapshot_download; snapshot_download({repository.id!r})"
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "HF_HUB_DISABLE_XET": "1"})
    hub.requests.clear()
    events = job.run(Download(id="a", repository=repository.id))

    assert isinstance(events[0], DownloadPlanned)
    assert events[0].missing_bytes == 0
    assert not hub.requests_to("/resolve/")
    assert downloaded(events) == revision(repository).folder


def test_a_killed_download_is_resumed(hub: Hub, start_job_process: type[JobProcess]) -> None:
    """After kill -9, no model appears, at most one block is downloaded again, and the result is correct."""
    repository = add_model(hub, "download/killed", megabytes=6)
    hold = Hold(after_bytes=4 * MEGABYTE + 1000)
    hub.inject("/large/", hold)
    first = start_job_process()
    first.send(Download(id="a", repository=repository.id))
    first.until(lambda event: isinstance(event, DownloadProgress) and event.done_bytes > 4 * MEGABYTE)
    first.kill()

    assert not revision(repository).folder.exists()
    assert revision(repository).downloaded_bytes(weights(repository)) > 3 * MEGABYTE
    hub.requests.clear()
    events = start_job_process().run(Download(id="b", repository=repository.id))
    assert sha256(downloaded(events) / "model.safetensors") == weights(repository).digest
    start = int(hub.requests_to("/large/")[0].range.removeprefix("bytes=").partition("-")[0])
    assert 4 * MEGABYTE + 1000 - start <= MEGABYTE


@pytest.mark.parametrize(
    ("path", "after_bytes"), [("/tokenizer.json", 0), ("/large/", 0), ("/large/", 1_999_999)], ids=str
)
def test_a_download_can_be_killed_at_any_time(
    hub: Hub, start_job_process: type[JobProcess], path: str, after_bytes: int
) -> None:
    """Before the weights, before their first byte, or before their last: the next download completes the model."""
    repository = add_model(hub, "download/killed-early", megabytes=2)
    hold = Hold(after_bytes)
    hub.inject(path, hold)
    first = start_job_process()
    first.send(Download(id="a", repository=repository.id))
    assert hold.reached.wait(20)
    first.kill()
    assert not revision(repository).folder.exists()
    folder = downloaded(start_job_process().run(Download(id="b", repository=repository.id)))
    assert sha256(folder / "model.safetensors") == weights(repository).digest
    assert not list(revision(repository).repository_folder.rglob("*.incomplete"))
    shutil.rmtree(revision(repository).repository_folder)


def test_a_paused_download_is_resumed(hub: Hub, start_job_process: type[JobProcess]) -> None:
    """Pausing ends the process; the next process has fewer bytes to download."""
    repository = add_model(hub, "download/paused", megabytes=4)
    hub.inject("/large/", Hold(after_bytes=2 * MEGABYTE))
    first = start_job_process()
    first.send(Download(id="a", repository=repository.id))
    first.until(lambda event: isinstance(event, DownloadProgress) and event.done_bytes > MEGABYTE)
    first.close()

    events = start_job_process().run(Download(id="b", repository=repository.id))
    assert isinstance(events[0], DownloadPlanned)
    assert events[0].missing_bytes < events[0].total_bytes - MEGABYTE
    assert sha256(downloaded(events) / "model.safetensors") == weights(repository).digest


def test_a_dropped_connection_is_resumed(hub: Hub, job: JobProcess) -> None:
    """Only the missing bytes are requested, and the wait is reported."""
    repository = add_model(hub, "download/cut", megabytes=4)
    hub.inject("/large/", Cut(after_bytes=2 * MEGABYTE + 5))
    events = job.run(Download(id="a", repository=repository.id))

    assert sha256(downloaded(events) / "model.safetensors") == weights(repository).digest
    assert [seen.range for seen in hub.requests_to("/large/")] == [
        "",
        f"bytes={2 * MEGABYTE + 5}-{weights(repository).size_bytes - 1}",
    ]
    assert any(isinstance(event, Waiting) for event in events)


def test_a_server_that_ignores_the_range_is_read_from_the_start(hub: Hub, job: JobProcess) -> None:
    """The whole file replaces the existing part."""
    repository = add_model(hub, "download/norange", megabytes=3)
    hub.inject("/large/", Cut(after_bytes=MEGABYTE))
    hub.inject("/large/", NoRange())
    events = job.run(Download(id="a", repository=repository.id))
    assert sha256(downloaded(events) / "model.safetensors") == weights(repository).digest


def test_a_damaged_partial_file_is_replaced(hub: Hub, job: JobProcess) -> None:
    """The file is downloaded once more in full."""
    repository = add_model(hub, "download/damaged", megabytes=2)
    partial = revision(repository).partial(weights(repository))
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"rubbish" * 1000)
    events = job.run(Download(id="a", repository=repository.id))
    assert sha256(downloaded(events) / "model.safetensors") == weights(repository).digest


def test_a_download_waits_for_a_busy_hub(hub: Hub, job: JobProcess) -> None:
    """It waits as long as the Hub asks, and reports the wait."""
    repository = add_model(hub, "download/busy")
    hub.inject("/large/", Refuse(429, (("Retry-After", "1"),)))
    events = job.run(Download(id="a", repository=repository.id))
    assert [event.seconds for event in events if isinstance(event, Waiting)] == [1]
    assert downloaded(events)


def test_a_long_wait_fails_the_download(hub: Hub, job: JobProcess) -> None:
    """The error has the wait in its message and as a number."""
    repository = add_model(hub, "download/very-busy")
    hub.inject("/large/", Refuse(429, (("Retry-After", "900"),)))
    failure = failed(job.answer(Download(id="a", repository=repository.id)))
    assert (failure.error, failure.retry_after_s) == ("HubBusy", 900)
    assert "900 seconds" in failure.message


def test_a_server_error_is_retried(hub: Hub, job: JobProcess) -> None:
    """One response with status 500 does not fail the download."""
    repository = add_model(hub, "download/fault")
    hub.inject("/large/", Refuse(500))
    assert downloaded(job.run(Download(id="a", repository=repository.id)))


@pytest.mark.parametrize("fault", [WrongContent(), WrongLength(by=10), WrongLength(by=-10)], ids=str)
def test_wrong_content_fails_the_download(hub: Hub, job: JobProcess, fault: Fault) -> None:
    """The content or its length differs from the listing; no model appears."""
    repository = add_model(hub, "download/wrong", megabytes=2)
    hub.inject("/large/", fault)
    assert failed(job.answer(Download(id="a", repository=repository.id))).error == "WrongContent"
    assert not revision(repository).folder.exists()
    assert revision(repository).downloaded_bytes(weights(repository)) == 0
    shutil.rmtree(revision(repository).repository_folder)


def test_small_files_are_verified(hub: Hub, job: JobProcess) -> None:
    """Files outside large-file storage are verified against their git object id."""
    repository = add_model(hub, "download/wrong-config")
    hub.inject("/resolve/" + repository.main + "/config.json", WrongContent())
    assert failed(job.answer(Download(id="a", repository=repository.id))).error == "WrongContent"


def test_a_listing_with_a_wrong_checksum_fails_the_download(hub: Hub, job: JobProcess) -> None:
    """The Hub's listing contradicts its files."""
    repository = hub.add(Repository("download/contradiction"))
    repository.commit({**model_files(), "model.safetensors": HubFile(b"weights", claimed_sha256="0" * 64)})
    assert failed(job.answer(Download(id="a", repository=repository.id))).error == "WrongContent"


def test_a_new_commit_does_not_affect_a_running_download(hub: Hub, job: JobProcess) -> None:
    """All files come from the commit at the start of the download."""
    repository = add_model(hub, "download/moving", megabytes=3)
    before, digest = repository.main, weights(repository).digest
    hold = Hold(after_bytes=MEGABYTE)
    hub.inject("/large/", hold)
    job.send(Download(id="a", repository=repository.id))
    assert hold.reached.wait(20)
    repository.commit(model_files(1))
    hold.released.set()
    events = job.until(lambda event: isinstance(event, Downloaded | RequestFailed))

    assert downloaded(events).name == before
    assert sha256(downloaded(events) / "model.safetensors") == digest
    assert all(before in seen.path for seen in hub.requests_to("/resolve/"))


def test_a_commit_can_be_downloaded(hub: Hub, job: JobProcess) -> None:
    """The branch in the cache stays unchanged."""
    repository = add_model(hub, "download/older")
    older = repository.main
    repository.commit(model_files())
    folder = downloaded(job.run(Download(id="a", repository=repository.id, revision=older)))
    assert folder.name == older
    assert not (revision(repository).repository_folder / "refs").exists()


@pytest.mark.parametrize("name", ["../escaped.json", "/escaped.json", "a/../../b.json", "a\\..\\b.json", "./c.json"])
def test_a_name_that_leaves_the_folder_is_refused(hub: Hub, job: JobProcess, name: str) -> None:
    """No file is requested, and nothing is written."""
    repository = hub.add(Repository("download/hostile"))
    repository.commit({**model_files(), name: b"{}"})
    failure = failed(job.answer(Download(id="a", repository=repository.id)))
    assert failure.error == "UnsafeRepository"
    assert not hub.requests_to("/resolve/")
    assert not revision(repository).repository_folder.exists()


def test_a_symbolic_link_in_the_repository_is_downloaded_as_text(hub: Hub, job: JobProcess, tmp_path: Path) -> None:
    """Git stores a link as a file with its target, and Facet does not follow it."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    repository = hub.add(Repository("download/link"))
    repository.commit({**model_files(), "tokenizer.json": str(secret).encode()})
    folder = downloaded(job.run(Download(id="a", repository=repository.id)))
    assert (folder / "tokenizer.json").read_text() == str(secret)
    assert (folder / "tokenizer.json").resolve().parent == revision(repository).repository_folder / "blobs"


def test_a_redirect_to_a_local_file_is_not_followed(hub: Hub, job: JobProcess) -> None:
    """The Hub cannot make Facet read files on this Mac."""
    repository = add_model(hub, "download/redirect")
    hub.inject("/model.safetensors", WrongRedirect("file:///etc/passwd"))
    assert failed(job.answer(Download(id="a", repository=repository.id))).error == "HubError"


def test_a_missing_repository_is_reported(hub: Hub, job: JobProcess) -> None:
    """The same holds for a missing revision and for invalid names."""
    repository = add_model(hub, "download/there")
    for wrong in ("download/absent", "no name", "a/b/c"):
        assert failed(job.answer(Download(id="a", repository=wrong))).error == "HubNotFound"
    assert "v9" in failed(job.answer(Download(id="a", repository=repository.id, revision="v9"))).message
    assert failed(job.answer(Download(id="a", repository=repository.id, revision="../x"))).error == "HubNotFound"


def test_a_gated_repository_requires_a_token_then_consent(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The download works once the token's owner has accepted the conditions. The token is sent only to the Hub."""
    repository = add_model(hub, "download/gated")
    repository.gated = "manual"
    request = Download(id="a", repository=repository.id)
    assert failed(start_job_process().answer(request)).error == "NeedsToken"

    hub.tokens |= {"hf_secret": "ann"}
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    process = start_job_process()
    assert failed(process.answer(request)).error == "NeedsConsent"
    hub.accepted.add(("ann", repository.id))
    assert downloaded(process.run(request))
    assert {seen.authorization for seen in hub.requests_to("/resolve/")} == {"", "Bearer hf_secret"}
    assert [seen.authorization for seen in hub.requests_to("/large/")] == [""]


def test_an_invalid_token_is_reported(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds even for a public repository."""
    repository = add_model(hub, "download/public")
    monkeypatch.setenv("HF_TOKEN", "hf_old")
    assert failed(start_job_process().answer(Download(id="a", repository=repository.id))).error == "WrongToken"


def test_a_repository_of_pickles_is_refused_with_the_reason(hub: Hub, job: JobProcess) -> None:
    """They are refused even if requested by name."""
    repository = hub.add(Repository("download/pickles"))
    repository.commit({"config.json": b"{}", "pytorch_model.bin": b"a pickle"})
    failure = failed(job.answer(Download(id="a", repository=repository.id)))
    assert failure.error == "UnsupportedModel"
    assert "pickles" in failure.message
    request = Download(id="a", repository=repository.id, include=("*.bin",))
    assert failed(job.answer(request)).error == "HubNotFound"


def test_a_gguf_file_is_downloaded_on_request(hub: Hub, job: JobProcess) -> None:
    """Otherwise the error lists the GGUF files."""
    repository = hub.add(Repository("download/gguf"))
    repository.commit({"a-Q4_0.gguf": b"four", "a-Q8_0.gguf": b"eight", "README.md": b"# A"})
    assert "a-Q4_0.gguf" in failed(job.answer(Download(id="a", repository=repository.id))).message
    folder = downloaded(job.run(Download(id="a", repository=repository.id, include=("*Q4_0.gguf",))))
    assert [path.name for path in folder.iterdir()] == ["a-Q4_0.gguf"]


def test_too_little_space_is_reported_before_the_download(hub: Hub, job: JobProcess) -> None:
    """The message has the size of the model."""
    repository = hub.add(Repository("download/huge"))
    repository.commit({**model_files(), "model.safetensors": HubFile(b"", claimed_size=10**15)})
    failure = failed(job.answer(Download(id="a", repository=repository.id)))
    assert failure.error == "NoSpace"
    assert "1000 TB" in failure.message
    assert not hub.requests_to("/resolve/")


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="makes a device that is always full")
def test_a_disk_that_fills_up_during_the_download_is_reported(hub: Hub, job: JobProcess) -> None:
    """The file is written to a device that is always full."""
    repository = add_model(hub, "download/full", megabytes=2)
    partial = revision(repository).partial(weights(repository))
    partial.parent.mkdir(parents=True)
    os.mknod(partial, stat.S_IFCHR | 0o600, os.makedev(1, 7))
    failure = failed(job.answer(Download(id="a", repository=repository.id)))
    assert failure.error == "NoSpace"
    assert not revision(repository).folder.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_read_only_cache_is_reported(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The message names the folder."""
    repository = add_model(hub, "download/rights")
    tmp_path.joinpath("cache").mkdir(mode=0o500)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    failure = failed(start_job_process().answer(Download(id="a", repository=repository.id)))
    assert failure.error == "StorageError"
    assert "cache" in failure.message


def test_a_cache_folder_that_is_a_file_is_reported(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The error is a `StorageError`."""
    repository = add_model(hub, "download/file")
    (tmp_path / "cache").write_text("not a folder")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    assert failed(start_job_process().answer(Download(id="a", repository=repository.id))).error == "StorageError"


def test_two_downloads_of_one_model_download_it_once(hub: Hub, start_job_process: type[JobProcess]) -> None:
    """The second waits for the file of the first."""
    repository = add_model(hub, "download/twice", megabytes=3)
    hold = Hold(after_bytes=MEGABYTE)
    hub.inject("/large/", hold)
    first, second = start_job_process(), start_job_process()
    first.send(Download(id="a", repository=repository.id))
    assert hold.reached.wait(20)
    second.send(Download(id="b", repository=repository.id))
    second.until(lambda event: isinstance(event, DownloadProgress))
    hold.released.set()
    for process in (first, second):
        assert downloaded(process.until(lambda event: isinstance(event, Downloaded | RequestFailed)))
    assert len(hub.requests_to("/large/")) == 1


def test_another_app_can_download_the_same_model_at_once(hub: Hub, start_job_process: type[JobProcess]) -> None:
    """`snapshot_download` starts and ends during Facet's download: both end with the same complete model."""
    repository = add_model(hub, "download/meanwhile", megabytes=3)
    hold = Hold(after_bytes=MEGABYTE)
    hub.inject("/large/", hold)
    process = start_job_process()
    process.send(Download(id="a", repository=repository.id))
    assert hold.reached.wait(20)
    program = f"from huggingface_hub import snapshot_download; print(snapshot_download({repository.id!r}))"
    environment = {**os.environ, "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    child = subprocess.run([sys.executable, "-c", program], check=True, env=environment, capture_output=True, text=True)
    hold.released.set()
    folder = downloaded(process.until(lambda event: isinstance(event, Downloaded | RequestFailed)))
    assert child.stdout.strip() == str(folder)
    assert sha256(folder / "model.safetensors") == weights(repository).digest
    assert not list(revision(repository).repository_folder.rglob("*.incomplete"))
