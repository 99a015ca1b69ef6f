import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import DownloadPlanned
from mlx_engine.models.description import provenance
from mlx_engine.models.description.describe import describe
from mlx_engine.models.files import staging
from mlx_engine.models.hub.cache import CachedRevision, cache_folder
from mlx_engine.models.library import library
from mlx_engine.models.library.locations import Root
from mlx_engine.protocol import RequestFailed
from mlx_engine.quantize.plan.messages import (
    ConversionPlanned,
    ConversionProgress,
    Convert,
    Converted,
    OutlineRead,
    Pause,
    ReadOutline,
    Resume,
    SourceArrived,
    SourceProgress,
)
from mlx_engine.quantize.recipes.builtin import recipe
from tests.disks import mount_disk
from tests.hub.faults import Cut, Hold, WrongContent
from tests.hub.job_process import JobProcess
from tests.hub.repository import Repository
from tests.hub.server import Hub
from tests.model_folders import write_llama
from tests.shards import split_weights

SHARDS = 5
ONE_AND_MINUS_ONE = bytes.fromhex("803f80bf")
"""In bfloat16."""


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Facet's folder of models."""
    return Folders(data=tmp_path, cache=tmp_path, logs=tmp_path).models


@pytest.fixture
def put(hub: Hub, tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a sharded model on the Hub, with an empty cache for the test."""

    def put(name: str, model: str = "llama", **more: bytes) -> Repository:
        repository = Repository(f"stream/{name}")
        repository.commit(split_weights(tiny_models / model, SHARDS) | more)
        return hub.add(repository)

    return put


def request(repository: Repository, models: Path, *, removes: bool = False, way: str = "4bit-g32") -> Convert:
    target = models / "stream" / f"{repository.id.partition('/')[2]}-{way}"
    return Convert(
        id="c",
        source="",
        target=str(target),
        model_id=f"stream/{target.name}",
        recipe=recipe(way),
        repository=repository.id,
        remove_source=removes,
    )


def name(number: int) -> str:
    """Return the name of a weight file, counted from 1."""
    return f"model-{number:05}-of-{SHARDS:05}.safetensors"


def is_shard(name: str) -> bool:
    return name.endswith(".safetensors")


def request_end(number: int) -> str:
    """Return the end of the URL of requests for a weight file. The first request is for its header."""
    return f"?for={name(number)}"


def content(repository: Repository, number: int) -> bytes:
    return repository.commits[repository.main][name(number)].read()


def blob(repository: Repository, number: int) -> Path:
    digest = repository.digests[repository.commits[repository.main][name(number)]]
    return place(repository).repository_folder / "blobs" / digest


def place(repository: Repository) -> CachedRevision:
    return CachedRevision.of(cache_folder(), repository.id, repository.main)


def blobs(repository: Repository) -> list[Path]:
    return sorted(place(repository).repository_folder.glob("blobs/*"))


def failure(event: JobEvent) -> RequestFailed:
    assert isinstance(event, RequestFailed), event
    return event


def is_written(event: JobEvent) -> bool:
    return isinstance(event, ConversionProgress) and event.done_bytes > 0


def assert_nothing_made(models: Path, repository: Repository) -> None:
    """Check that neither result nor original is in the library, and that no files remain."""
    roots = [Root("facet", models), Root("huggingface", cache_folder())]
    assert not [row for row in library.scan(roots).rows if repository.id.partition("/")[2] in str(row)]
    assert [path for path in models.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("model", ["llama", "lfm2", "llama-4bit"])
def test_the_result_equals_download_then_conversion(
    put: Any, models: Path, tiny_models: Path, job: JobProcess, model: str
) -> None:
    """Byte for byte, for parameters that are copied, computed or unpacked; the original is in the cache."""
    repository = put(f"same-{model}", model)
    conversion = request(repository, models, way="8bit-g32")
    planned, *events, done = job.run(conversion)
    assert isinstance(planned, DownloadPlanned)
    assert isinstance(done, Converted), done
    arrived = next(event for event in events if isinstance(event, SourceArrived))
    assert describe(Path(arrived.path), "a/b").parameters
    other = models / "stream" / "other"
    local = Convert(id="l", source=arrived.path, target=str(other), model_id="stream/other", recipe=conversion.recipe)
    assert isinstance(job.answer(local), Converted)
    weights = "model.safetensors"
    assert (Path(done.path) / weights).read_bytes() == (other / weights).read_bytes()
    assert (Path(done.path) / "config.json").read_bytes() == (other / "config.json").read_bytes()
    assert provenance.read(Path(done.path)).files_sha256 == provenance.read(other).files_sha256
    assert {file.name for file in Path(done.path).iterdir()} == {file.name for file in other.iterdir()}


def test_download_and_conversion_both_report_progress(put: Any, models: Path, job: JobProcess) -> None:
    """Each one up to its total."""
    events = job.run(request(put("progress"), models))
    downloaded = [event for event in events if isinstance(event, SourceProgress)]
    written = [event for event in events if isinstance(event, ConversionProgress)]
    assert downloaded[-1].done_bytes == downloaded[-1].total_bytes
    assert written[-1].done_bytes == written[-1].total_bytes
    assert [event.done_bytes for event in written] == sorted(event.done_bytes for event in written)


def test_writing_starts_before_the_download_ends(hub: Hub, put: Any, models: Path, job: JobProcess) -> None:
    """The plan is known before any weights arrive."""
    repository = put("early")
    hold = Hold(after_bytes=10)
    hub.inject(request_end(SHARDS), hold, after=1)
    job.send(request(repository, models))
    events = job.until(is_written)
    assert any(isinstance(event, ConversionPlanned) for event in events)
    assert not any(isinstance(event, SourceArrived) for event in events)
    hold.released.set()
    assert isinstance(job.until(lambda event: isinstance(event, Converted | RequestFailed))[-1], Converted)


def test_used_files_are_removed(hub: Hub, put: Any, models: Path, job: JobProcess) -> None:
    """The first file is gone before the last one arrives; in the end the original is gone."""
    repository = put("removed")
    hold = Hold(after_bytes=10)
    hub.inject(request_end(SHARDS), hold, after=1)
    job.send(request(repository, models, removes=True))
    job.until(
        lambda event: isinstance(event, SourceProgress) and hold.reached.is_set() and not blob(repository, 1).exists()
    )
    hold.released.set()
    done = job.until(lambda event: isinstance(event, Converted | RequestFailed))[-1]
    assert isinstance(done, Converted), done
    assert describe(Path(done.path), "a/b").bits
    assert set(provenance.read(Path(done.path)).files_sha256) == set(map(name, range(1, SHARDS + 1)))
    assert not place(repository).repository_folder.exists()


def test_files_of_another_snapshot_stay(put: Any, models: Path, job: JobProcess) -> None:
    """A model in the cache keeps its files, whichever download brought them."""
    repository = put("shared")
    second = blob(repository, 2)
    second.parent.mkdir(parents=True)
    second.write_bytes(content(repository, 2))
    link = place(repository).repository_folder / "snapshots" / ("0" * 40) / "model.safetensors"
    link.parent.mkdir(parents=True)
    link.symlink_to(os.path.relpath(second, link.parent))
    assert isinstance(job.answer(request(repository, models, removes=True)), Converted)
    assert blobs(repository) == [second]
    assert link.read_bytes() == content(repository, 2)


@pytest.mark.parametrize("removes", [False, True])
def test_wrong_content_is_reported_and_nothing_is_added(
    hub: Hub, put: Any, models: Path, job: JobProcess, *, removes: bool
) -> None:
    """Files that arrived earlier stay for the next attempt, unless used files are to be removed."""
    repository = put(f"wrong-{removes}")
    hub.inject(request_end(3), WrongContent(), after=1)
    failed = failure(job.answer(request(repository, models, removes=removes)))
    assert failed.error == "WrongContent"
    assert name(3) in failed.message
    assert_nothing_made(models, repository)
    assert not place(repository).folder.exists()
    assert isinstance(job.answer(request(repository, models, removes=removes)), Converted)


def test_a_broken_connection_is_resumed(hub: Hub, put: Any, models: Path, job: JobProcess) -> None:
    """Even one that breaks inside a header."""
    repository = put("cut")
    hub.inject(request_end(1), Cut(after_bytes=5))
    hub.inject(request_end(2), Cut(after_bytes=100), after=1)
    assert isinstance(job.answer(request(repository, models)), Converted)


@pytest.mark.parametrize("removes", [False, True])
def test_a_killed_job_starts_over(
    hub: Hub, put: Any, models: Path, job: JobProcess, start_job_process: type[JobProcess], *, removes: bool
) -> None:
    """The next start deletes the partial files, and removed files are downloaded again."""
    repository = put(f"killed-{removes}")
    hold = Hold(after_bytes=10)
    hub.inject(request_end(SHARDS), hold, after=1)
    process = start_job_process()
    process.send(request(repository, models, removes=removes))
    process.until(is_written)
    process.kill()
    hold.released.set()
    staging.sweep(models)
    assert_nothing_made(models, repository)
    assert isinstance(job.answer(request(repository, models, removes=removes)), Converted)


def test_a_job_pauses_and_resumes(hub: Hub, put: Any, models: Path, job: JobProcess) -> None:
    """Requests are read in order, so it pauses at its first event; no weights are requested while it is paused."""
    repository = put("still")
    job.send(Pause("c"))
    job.send(request(repository, models))
    assert job.until(lambda _event: True)
    assert not hub.requests_to(request_end(1))
    job.send(Resume("c"))
    assert isinstance(job.until(lambda event: isinstance(event, Converted | RequestFailed))[-1], Converted)
    assert hub.requests_to(request_end(1))


def test_the_outline_is_read_from_headers(hub: Hub, put: Any, job: JobProcess) -> None:
    """With everything a forecast needs; no weights are downloaded."""
    repository = put("outline")
    read = job.answer(ReadOutline("o", repository=repository.id))
    assert isinstance(read, OutlineRead), read
    assert describe(Path(read.path), "a/b").architecture == read.outline.architecture == "llama"
    sizes = [len(content(repository, number + 1)) for number in range(SHARDS)]
    assert read.missing_bytes == sum(sizes)
    assert max(sizes) <= read.least_bytes < sum(sizes)
    assert all(seen.range for seen in hub.requests_to("/large/"))
    assert not place(repository).repository_folder.exists()


def test_a_model_with_ternary_weights_is_downloaded_first(
    hub: Hub, models: Path, tiny_models: Path, tmp_path: Path, job: JobProcess
) -> None:
    """Only the complete weights show that all of them are ternary."""
    files = split_weights(write_llama(tmp_path / "zeros", tiny_models / "llama"), SHARDS)
    for shard in filter(is_shard, files):
        start = 8 + int.from_bytes(files[shard][:8], "little")
        files[shard] = files[shard][:start] + ONE_AND_MINUS_ONE * ((len(files[shard]) - start) // 4)
    repository = hub.add(Repository("stream/ternary"))
    repository.commit(dict(files))
    *events, done = job.run(request(repository, models, way="lossless"))
    assert isinstance(done, Converted), done
    kinds = [type(event) for event in events]
    assert kinds.index(SourceArrived) < kinds.index(ConversionPlanned)


@pytest.fixture
def small_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A 600 MB disk with the cache and the models."""
    with mount_disk(tmp_path / "disk", "600m") as disk:
        monkeypatch.setenv("HF_HUB_CACHE", str(disk / "hub"))
        yield disk


def fill(disk: Path, leave_bytes: int) -> None:
    """Fill the disk except for that many bytes."""
    with (disk / "other").open("wb") as other:
        os.posix_fallocate(other.fileno(), 0, shutil.disk_usage(disk).free - leave_bytes)


def test_a_disk_too_small_for_both_is_enough_if_files_are_removed(
    put: Any, small_disk: Path, start_job_process: type[JobProcess]
) -> None:
    """The refusal suggests removing the original, and that works."""
    repository, models = put("small"), small_disk / "models"
    process = start_job_process()
    read = process.answer(ReadOutline("o", repository=repository.id))
    assert isinstance(read, OutlineRead)
    conversion = request(repository, models, way="8bit-g32")
    fill(small_disk, 500_000_000 + read.missing_bytes + 50_000)
    refused = failure(process.answer(conversion))
    assert refused.error == "NoSpace"
    assert "remove the files of the original after use" in refused.message
    done = process.answer(request(repository, models, removes=True, way="8bit-g32"))
    assert isinstance(done, Converted), done
