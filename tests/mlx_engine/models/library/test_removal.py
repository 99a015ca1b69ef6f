import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlx_engine.errors import InvalidParameter, ModelNotFound, RequestError, StorageError
from mlx_engine.models.description.description import BrokenDescription
from mlx_engine.models.library.library import scan
from mlx_engine.models.library.locations import Root
from mlx_engine.models.library.removal import delete_permanently, move_to_trash, plan_removal, rename
from tests.gguf_files import tiny_model
from tests.hub_snapshots import COMMIT, OLDER, write_snapshot
from tests.model_folders import write_model
from tests.trash import trash

__all__ = ["trash"]


def row(path: Path, origin: str = "added") -> BrokenDescription:
    return BrokenDescription(f"owner/{path.name}", path, "", origin)  # type: ignore[arg-type]


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def test_a_model_is_moved_to_the_trash_with_its_empty_owner(trash: Path, tmp_path: Path) -> None:
    """It is complete in the Trash and no longer in the library."""
    models = tmp_path / "models"
    folder = write_model(models / "owner" / "tiny")
    expected = size(folder)
    removal = plan_removal(row(folder, "facet"))
    assert (removal.paths, removal.frees_bytes, removal.shared_bytes) == ((folder,), expected, 0)
    move_to_trash(removal)
    assert size(trash / "tiny") == expected
    assert list(models.iterdir()) == []


def test_a_permanent_deletion_bypasses_the_trash(trash: Path, tmp_path: Path) -> None:
    """Another snapshot of the repository stays complete."""
    older, newer = (write_snapshot(tmp_path / "hub", commit=commit) for commit in (OLDER, COMMIT))
    removal = plan_removal(row(newer, "huggingface"))
    delete_permanently(removal)
    assert not any(path.exists() for path in removal.paths)
    assert all(file.is_file() for file in older.iterdir())
    assert not trash.exists()


def test_an_owner_with_other_models_stays(trash: Path, tmp_path: Path) -> None:
    """Only an empty folder is deleted."""
    for name in ("one", "two"):
        write_model(tmp_path / "models" / "owner" / name)
    move_to_trash(plan_removal(row(tmp_path / "models" / "owner" / "one", "facet")))
    assert [path.name for path in (tmp_path / "models" / "owner").iterdir()] == ["two"]


def test_links_free_no_space(tmp_path: Path) -> None:
    """Files with hard links elsewhere, and symbolic links, count as shared."""
    folder = write_model(tmp_path / "a")
    all_bytes = size(folder)
    os.link(folder / "model.safetensors", tmp_path / "hard link")
    (folder / "README.md").symlink_to(tmp_path / "hard link")
    weights = (tmp_path / "hard link").stat().st_size
    removal = plan_removal(row(folder))
    assert (removal.frees_bytes, removal.shared_bytes) == (all_bytes - weights, 2 * weights)


def test_only_the_link_to_a_folder_is_deleted(trash: Path, tmp_path: Path) -> None:
    """The model that it points to stays."""
    folder = write_model(tmp_path / "disk" / "tiny")
    link = tmp_path / "models" / "owner" / "tiny"
    link.parent.mkdir(parents=True)
    link.symlink_to(folder)
    removal = plan_removal(row(link, "facet"))
    assert removal.frees_bytes == 0
    move_to_trash(removal)
    assert not link.is_symlink()
    assert (folder / "model.safetensors").exists()


def test_a_gguf_file_is_deleted_with_its_parts(trash: Path, tmp_path: Path) -> None:
    """Other files in the folder stay."""
    (tmp_path / "disk").mkdir()
    for name in ("m-00001-of-00002.gguf", "m-00002-of-00002.gguf", "other.gguf"):
        tiny_model().write(tmp_path / "disk" / name)
    move_to_trash(plan_removal(row(tmp_path / "disk" / "m-00001-of-00002.gguf")))
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["other.gguf"]


def test_the_only_snapshot_is_deleted_with_its_repository(trash: Path, tmp_path: Path) -> None:
    """The Trash gets the whole repository folder."""
    snapshot = write_snapshot(tmp_path / "hub")
    repository = tmp_path / "hub" / "models--owner--tiny"
    removal = plan_removal(row(snapshot, "huggingface"))
    assert removal.frees_bytes == size(repository)
    move_to_trash(removal)
    assert list((tmp_path / "hub").iterdir()) == []
    assert (trash / "models--owner--tiny" / "snapshots" / COMMIT / "model.safetensors").is_file()


def test_contents_that_another_snapshot_needs_stay(trash: Path, tmp_path: Path) -> None:
    """Only the snapshot's unshared contents are deleted; the rest of the cache stays complete."""
    hub = tmp_path / "hub"
    other, snapshot = write_snapshot(hub, commit=OLDER), write_snapshot(hub, commit=COMMIT)
    (snapshot / "tokenizer.json").unlink()
    (snapshot / "tokenizer.json").symlink_to("../../blobs/0000tokenizer.json")
    removal = plan_removal(row(snapshot, "huggingface"))
    unshared = [snapshot / name for name in ("config.json", "model.safetensors")]
    assert removal.frees_bytes == sum(link.stat().st_size for link in unshared)
    assert removal.shared_bytes == (other / "tokenizer.json").stat().st_size
    move_to_trash(removal)
    assert [(model.path, model.revision) for model in scan([Root("huggingface", hub)]).rows] == [(other, OLDER)]  # type: ignore[union-attr]
    assert not (hub / "models--owner--tiny" / "refs" / "main").exists()
    assert [path.name for path in hub.iterdir()] == ["models--owner--tiny"]
    deleted = trash / "models--owner--tiny"
    assert (deleted / "snapshots" / COMMIT / "model.safetensors").is_file()


def test_a_snapshot_is_put_back_if_the_trash_refuses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All files are in their places again."""
    hub = tmp_path / "hub"
    write_snapshot(hub, commit=OLDER)
    snapshot = write_snapshot(hub, commit=COMMIT)
    before = sorted(hub.rglob("*"))

    def refuse(paths: list[str]) -> None:
        raise PermissionError("no")

    monkeypatch.setattr("send2trash.send2trash", refuse)
    with pytest.raises(StorageError, match=r"Couldn't move .* to the Trash"):
        move_to_trash(plan_removal(row(snapshot, "huggingface")))
    assert sorted(hub.rglob("*")) == before


def test_a_repository_that_is_being_downloaded_is_not_deleted(tmp_path: Path) -> None:
    """An app has just written to a partial file, or has locked it."""
    snapshot = write_snapshot(tmp_path / "hub")
    part = tmp_path / "hub" / "models--owner--tiny" / "blobs" / "abc.incomplete"
    part.touch()
    with pytest.raises(StorageError, match="is being downloaded"):
        plan_removal(row(snapshot, "huggingface"))
    os.utime(part, (0, 0))
    assert plan_removal(row(snapshot, "huggingface"))
    with part.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match="is being downloaded"):
            plan_removal(row(snapshot, "huggingface"))


def test_a_missing_model_cannot_be_deleted(tmp_path: Path) -> None:
    """Something else deleted it first."""
    with pytest.raises(ModelNotFound, match="no longer exists"):
        plan_removal(row(tmp_path / "gone"))


def test_renaming_a_model_renames_its_folder(tmp_path: Path) -> None:
    """The contents stay."""
    folder = write_model(tmp_path / "models" / "owner" / "old")
    assert rename(row(folder), tmp_path / "models", "new") == tmp_path / "models" / "owner" / "new"
    assert (tmp_path / "models" / "owner" / "new" / "config.json").exists()


@pytest.mark.parametrize("name", ["", " ", "a/b", "..", ".hidden", "x.partial", "a\0b", "existing"])
def test_an_invalid_name_is_refused(name: str, tmp_path: Path) -> None:
    """It would move the model, hide it or collide with another one."""
    folder = write_model(tmp_path / "models" / "owner" / "old")
    write_model(tmp_path / "models" / "owner" / "existing")
    with pytest.raises(InvalidParameter):
        rename(row(folder), tmp_path / "models", name)
    assert folder.exists()


def test_models_of_other_apps_cannot_be_renamed(tmp_path: Path) -> None:
    """The other app would no longer find them."""
    with pytest.raises(StorageError, match="another app"):
        rename(row(write_model(tmp_path / "elsewhere")), tmp_path / "models", "new")


@pytest.mark.process
def test_a_loaded_model_cannot_be_renamed_or_deleted(trash: Path, tmp_path: Path) -> None:
    """Once the process that has loaded it is killed, both are possible."""
    models = tmp_path / "models"
    folder = write_model(models / "owner" / "tiny")
    code = "import sys, pathlib; from mlx_engine.models.files import in_use; in_use.hold(pathlib.Path(sys.argv[1]));"
    command = [sys.executable, "-c", f"{code} print(flush=True); sys.stdin.read()", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(RequestError, match="is loaded"):
            plan_removal(row(folder, "facet"))
        with pytest.raises(RequestError, match="is loaded"):
            rename(row(folder, "facet"), models, "other")
        holder.kill()
    move_to_trash(plan_removal(row(rename(row(folder, "facet"), models, "other"), "facet")))
    assert (trash / "other").is_dir()
