import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlx_engine.child_command import child_command
from mlx_engine.errors import StorageError
from mlx_engine.models.description.describe import describe
from mlx_engine.models.library.gguf_import import import_gguf
from tests.gguf_files import import_file, tiny_model

IMPORT = child_command("import-gguf")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.process
def test_facet_json_records_the_origin(tmp_path: Path) -> None:
    """It has the file's hash, its license and its source, and the library shows them."""
    source = tiny_model().write(tmp_path / "model.gguf")
    for _ in import_gguf(source, tmp_path / "model", origin="a friend"):
        pass
    note = json.loads((tmp_path / "model" / "facet.json").read_text())
    digest = subprocess.run(["sha256sum", source], capture_output=True, text=True, check=True).stdout.split()[0]
    assert note["source_sha256"] == digest
    description = describe(tmp_path / "model", "owner/tiny")
    assert (description.license, description.source) == ("apache-2.0", "a friend")


def test_progress_reaches_the_total(tmp_path: Path) -> None:
    """The number of bytes done never decreases."""
    steps = list(import_gguf(tiny_model().write(tmp_path / "model.gguf"), tmp_path / "model"))
    assert steps == sorted(steps, key=lambda step: step.done_bytes)
    assert steps[-1].done_bytes == steps[-1].total_bytes


def test_canceling_an_import_leaves_nothing_behind(tmp_path: Path) -> None:
    """Closing the iterator removes the partial folder."""
    source = tiny_model().write(tmp_path / "model.gguf")
    steps = import_gguf(source, tmp_path / "model")
    next(steps)
    assert names(tmp_path) == ["model.gguf", "model.partial"]
    steps.close()
    assert names(tmp_path) == ["model.gguf"]


@pytest.mark.process
def test_a_killed_import_is_cleared_by_the_next(tmp_path: Path) -> None:
    """After kill -9 only the partial folder exists; the next import replaces it with a complete one."""
    source = tiny_model().write(tmp_path / "model.gguf")
    program = (
        "import sys; from pathlib import Path; from mlx_engine.models.library.gguf_import import import_gguf\n"
        "for step in import_gguf(Path(sys.argv[1]), Path(sys.argv[2])):\n"
        "    print('writing', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(source), str(tmp_path / "model")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"writing\n"
        child.kill()
    assert child.returncode == -signal.SIGKILL
    (tmp_path / "model.partial" / "leftover").mkdir()
    assert names(tmp_path) == ["model.gguf", "model.partial"]

    import_file(source, tmp_path / "model")

    assert names(tmp_path) == ["model", "model.gguf"]
    assert not (tmp_path / "model" / "leftover").exists()


@pytest.mark.process
def test_concurrent_imports_produce_one_folder(tmp_path: Path) -> None:
    """All of them succeed and leave one complete folder."""
    source = tiny_model().write(tmp_path / "model.gguf")
    command = [*IMPORT, str(source), str(tmp_path / "owner" / "model")]
    children = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [child.wait() for child in children] == [0, 0, 0]
    assert names(tmp_path / "owner") == ["model"]
    describe(tmp_path / "owner" / "model", "owner/model")


def test_a_repeated_import_changes_nothing(tmp_path: Path) -> None:
    """Importing the same file again writes nothing."""
    source = tiny_model().write(tmp_path / "model.gguf")
    folder = import_file(source, tmp_path / "model")
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    assert list(import_gguf(source, folder)) == []
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def test_a_damaged_import_is_replaced(tmp_path: Path) -> None:
    """A folder of the same file without its weights is imported again."""
    source = tiny_model().write(tmp_path / "model.gguf")
    folder = import_file(source, tmp_path / "model")
    (folder / "model.safetensors").unlink()
    describe(import_file(source, folder), "owner/model")


def test_another_model_is_never_overwritten(tmp_path: Path) -> None:
    """A folder with any other content is refused and stays unchanged."""
    source = tiny_model().write(tmp_path / "model.gguf")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "diary.txt").write_text("mine")
    with pytest.raises(StorageError, match="another model"):
        import_file(source, tmp_path / "model")
    assert names(tmp_path / "model") == ["diary.txt"]


def test_a_target_that_cannot_be_created_raises_a_storage_error(tmp_path: Path) -> None:
    """An example is a target below a file."""
    source = tiny_model().write(tmp_path / "model.gguf")
    with pytest.raises(StorageError, match="Couldn't write"):
        import_file(source, source / "owner" / "model")


@pytest.mark.process
def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    """If writing fails midway, the child's last line has the reason, and nothing is left behind."""
    source = tiny_model(kind="F32").write(tmp_path / "model.gguf")
    child = subprocess.run(
        [*IMPORT, str(source), str(tmp_path / "model")],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert child.returncode == 1
    event = json.loads(child.stdout.splitlines()[-1])
    assert event["error"] == "StorageError"
    assert "Couldn't write" in event["message"]
    assert names(tmp_path) == ["model.gguf"]
