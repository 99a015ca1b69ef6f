"""Conversions by real job processes, with faults."""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import numpy as np
import psutil
import pytest

from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.folders import Folders
from mlx_engine.models.description.describe import describe
from mlx_engine.models.files import safetensors, staging
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
)
from mlx_engine.quantize.recipes.builtin import recipe
from tests import pausing_job
from tests.disks import mount_disk
from tests.hub.job_process import JobProcess
from tests.model_folders import write_llama


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], JobProcess]]:
    """Start job processes without network access; all end with the test."""
    processes: list[JobProcess] = []

    def start() -> JobProcess:
        processes.append(JobProcess(tmp_path / "logs", needs_network=False, command=pausing_job.COMMAND))
        return processes[-1]

    yield start
    for process in processes:
        process.close()


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobProcess]:
    """A process for those who do not end it: to import MLX takes longer than all the rest."""
    process = JobProcess(tmp_path_factory.mktemp("logs"), needs_network=False, command=pausing_job.COMMAND)
    yield process
    process.close()


@pytest.fixture
def source(tiny_models: Path, tmp_path: Path) -> Path:
    """A copy of a model that a test may damage."""
    return shutil.copytree(tiny_models / "llama", tmp_path / "source")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Facet's folder of models."""
    return Folders(data=tmp_path, cache=tmp_path, logs=tmp_path).models


def request(source: Path, models: Path, name: str = "4bit-g32") -> Convert:
    target = models / "maker" / f"model-{name}"
    return Convert(id="c", source=str(source), target=str(target), model_id=f"maker/{target.name}", recipe=recipe(name))


@pytest.fixture
def large(tiny_models: Path, tmp_path: Path) -> Path:
    """A model of several pieces."""
    return write_llama(tmp_path / "large", tiny_models / "llama")


def pause_halfway(process: JobProcess, large: Path, models: Path, *, remove_source: bool = False) -> Convert:
    """Start a conversion that pauses halfway."""
    source = pausing_job.pause_midway(large)
    conversion = msgspec.structs.replace(request(source, models, "mxfp4"), remove_source=remove_source)
    process.send(conversion)
    progress = process.until(lambda event: not isinstance(event, ConversionPlanned))[-1]
    assert isinstance(progress, ConversionProgress)
    assert 0 < progress.done_bytes < progress.total_bytes
    return conversion


def ended(process: JobProcess) -> JobEvent:
    """Return the last event of the running conversion."""
    return process.until(lambda event: not isinstance(event, ConversionProgress))[-1]


def failure(event: JobEvent) -> RequestFailed:
    assert isinstance(event, RequestFailed), event
    return event


def assert_clean(models: Path) -> None:
    """Check that the library is empty, partial folders included."""
    assert not library.scan([Root("facet", models)]).rows
    assert [path for path in models.rglob("*") if path.is_file()] == []


def test_a_conversion_matches_its_plan(source: Path, models: Path, job: JobProcess) -> None:
    """Size and kept matrices are announced exactly, and the result has the announced description."""
    plan, *progress, done = job.run(request(source, models))
    assert isinstance(plan, ConversionPlanned)
    assert isinstance(done, Converted)
    assert progress
    assert (done.size_bytes, done.bits_per_weight) == (plan.size_bytes, plan.bits_per_weight)
    assert {tensor.reason for tensor in plan.unquantized} == {"a norm"}
    assert Path(done.path, "model.safetensors").stat().st_size == plan.size_bytes
    assert describe(Path(done.path), "maker/model").bits_per_weight == pytest.approx(plan.bits_per_weight)


def test_progress_grows_to_its_total(source: Path, models: Path, job: JobProcess) -> None:
    """In bytes of the result, with the name of the tensor being written."""
    progress = [event for event in job.run(request(source, models)) if isinstance(event, ConversionProgress)]
    done = [event.done_bytes for event in progress]
    assert done == sorted(done)
    assert done[-1] == progress[-1].total_bytes
    assert all(event.tensor for event in progress)


def test_an_outline_is_read(source: Path, job: JobProcess) -> None:
    """It has the parameters of the network, for forecasts in another process."""
    read = job.answer(ReadOutline("o", str(source)))
    assert isinstance(read, OutlineRead)
    assert read.outline.architecture == "llama"
    assert "model.embed_tokens.weight" in {parameter.name for parameter in read.outline.parameters}


def test_a_conversion_opens_no_sockets(large: Path, models: Path, job: JobProcess) -> None:
    """Not even halfway, and the process refuses connections to other machines."""
    pause_halfway(job, large, models)
    child = psutil.Process(job.pid)
    assert child.net_connections("all") == []
    assert child.environ()["FACET_OFFLINE"] == "1"
    job.send(Resume("c"))
    assert isinstance(ended(job), Converted)


def test_a_process_without_a_parent_cleans_up(large: Path, models: Path, start: Callable[[], JobProcess]) -> None:
    """Even while it is paused."""
    process = start()
    pause_halfway(process, large, models)
    assert list(models.rglob("*.partial"))
    process.close()
    assert_clean(models)


def test_a_killed_conversion_leaves_no_broken_model_and_succeeds_next_time(
    large: Path, models: Path, start: Callable[[], JobProcess], job: JobProcess
) -> None:
    """The next start of Facet deletes the partial folder. `tests/benchmarks/conversion_kills.py` kills at any point."""
    process = start()
    conversion = pause_halfway(process, large, models)
    process.kill()
    assert not library.scan([Root("facet", models)]).rows
    staging.sweep(models)
    assert_clean(models)
    assert isinstance(job.answer(conversion), Converted)


def lose_a_shard(folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def cut_the_header(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:100])


def spoil_the_index(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text("{")


def change_config(folder: Path, **values: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | values))


def pickle_the_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def rename_the_architecture(folder: Path) -> None:
    change_config(folder, model_type="unheard")


def widen_the_network(folder: Path) -> None:
    change_config(folder, intermediate_size=256)


def write_number(folder: Path, number: float) -> None:
    """Write the number into the middle of a matrix."""
    file = folder / "model.safetensors"
    entry = safetensors.read_header(file)["model.layers.2.mlp.up_proj.weight"]
    with file.open("r+b") as weights:
        weights.seek(entry.offset + entry.size_bytes // 2 // 4 * 4)
        weights.write(np.float32(number).tobytes())


def write_nan(folder: Path) -> None:
    write_number(folder, float("nan"))


def write_infinity(folder: Path) -> None:
    write_number(folder, float("inf"))


@pytest.mark.parametrize(
    ("damage", "error", "words"),
    [
        (lose_a_shard, "BrokenModel", "weight files are missing"),
        (cut_the_header, "BrokenModel", "model.safetensors is truncated"),
        (spoil_the_index, "BrokenModel", "model.safetensors.index.json is damaged"),
        (pickle_the_weights, "UnsupportedModel", "pickle"),
        (rename_the_architecture, "UnsupportedModel", "'unheard'"),
        (widen_the_network, "BrokenModel", "in the network"),
        (write_nan, "BrokenModel", "model.layers.2.mlp.up_proj"),
        (write_infinity, "BrokenModel", "model.layers.2.mlp.up_proj"),
    ],
)
def test_a_damaged_source_is_reported_and_leaves_nothing(
    source: Path, models: Path, damage: Callable[[Path], None], error: str, words: str, job: JobProcess
) -> None:
    """The error has its class, and names the file or tensor."""
    damage(source)
    failed = failure(job.answer(request(source, models)))
    assert (failed.error, words in failed.message) == (error, True), failed.message
    assert_clean(models)


def test_matrices_that_groups_do_not_divide_are_kept_and_reported(source: Path, models: Path, job: JobProcess) -> None:
    """Rows of 64 weights, in groups of 128."""
    plan = job.run(request(source, models, "4bit-g128"))[0]
    assert isinstance(plan, ConversionPlanned)
    assert "its rows of 64 weights do not divide by 128" in {tensor.reason for tensor in plan.unquantized}


def test_two_conversions_to_the_same_target_are_refused(
    large: Path, models: Path, start: Callable[[], JobProcess], job: JobProcess
) -> None:
    """While the first one runs, and after it has finished."""
    first = start()
    conversion = pause_halfway(first, large, models)
    assert "already being created" in failure(job.answer(conversion)).message
    first.send(Resume("c"))
    assert isinstance(ended(first), Converted)
    assert f"{Path(conversion.target).name}-2" in failure(job.answer(conversion)).message


def test_a_source_that_disappears_before_the_first_byte_is_reported(
    source: Path, models: Path, job: JobProcess
) -> None:
    """No result remains."""
    job.send(Pause("c"))
    job.send(request(source, models))
    job.until(lambda event: isinstance(event, ConversionPlanned))
    shutil.rmtree(source)
    job.send(Resume("c"))
    message = failure(ended(job)).message
    assert str(source) in message
    assert "download the model again" in message
    assert_clean(models)


@contextlib.contextmanager
def loaded(model: Path) -> Iterator[None]:
    """Mark the model as in use, as a worker does."""
    descriptor = os.open(model, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    yield
    os.close(descriptor)


def test_a_loaded_original_cannot_be_removed(source: Path, models: Path, job: JobProcess) -> None:
    """The error comes before anything is written."""
    conversion = msgspec.structs.replace(request(source, models), remove_source=True)
    with loaded(source):
        failed = failure(job.answer(conversion))
    assert (failed.error, "is loaded" in failed.message) == ("RequestError", True)
    assert_clean(models)


def test_an_original_loaded_during_the_conversion_stays(large: Path, models: Path, job: JobProcess) -> None:
    """The result is complete, with a note."""
    pause_halfway(job, large, models, remove_source=True)
    with loaded(large):
        job.send(Resume("c"))
        done = ended(job)
    assert isinstance(done, Converted)
    assert "remove the original" in done.notes[-1]
    assert (large / "config.json").exists()


def test_a_source_deleted_during_the_conversion_is_read_to_its_end(large: Path, models: Path, job: JobProcess) -> None:
    """The files are open, so the result is complete."""
    pause_halfway(job, large, models)
    shutil.rmtree(large)
    job.send(Resume("c"))
    done = ended(job)
    assert isinstance(done, Converted)
    assert describe(Path(done.path), "maker/model").bits_per_weight == pytest.approx(done.bits_per_weight)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 600 MB."""
    with mount_disk(tmp_path / "disk", "600m") as disk:
        yield disk


def fill(disk: Path, leave_bytes: int) -> None:
    """Fill the disk except for `leave_bytes`, in large pieces and then in small ones."""
    with (disk / "other").open("wb") as other:
        for piece in (2**24, 4096):
            with contextlib.suppress(OSError):
                while shutil.disk_usage(disk).free > leave_bytes:
                    os.posix_fallocate(other.fileno(), other.seek(0, os.SEEK_END), piece)


def test_a_disk_that_fills_up_is_reported_and_nothing_remains(large: Path, small_disk: Path, job: JobProcess) -> None:
    """The disk had enough space when the conversion started."""
    models = small_disk / "models"
    pause_halfway(job, large, models)
    fill(small_disk, 0)
    job.send(Resume("c"))
    assert failure(ended(job)).error == "NoSpace"
    assert_clean(models)


def test_a_full_disk_is_reported_in_advance(source: Path, small_disk: Path, job: JobProcess) -> None:
    """The error has the figures, and comes before anything is written."""
    fill(small_disk, 400_000_000)
    failed = failure(job.answer(request(source, small_disk / "models")))
    assert failed.error == "NoSpace"
    assert "are kept free" in failed.message
    assert not (small_disk / "models").exists()


def test_a_read_only_target_is_reported_in_advance(source: Path, tmp_path: Path, job: JobProcess) -> None:
    """A file in place of the folder stands in for missing permissions, which do not apply to root."""
    (tmp_path / "models").write_text("")
    failed = failure(job.answer(request(source, tmp_path / "models")))
    assert failed.error == "StorageError"
    assert "permission to write" in failed.message
