import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlx_engine.errors import InvalidParameter, ModelNotFound, RequestError, StorageError
from mlx_engine.models.description.description import BrokenDescription
from mlx_engine.models.library.library import survey
from mlx_engine.models.library.places import Root
from mlx_engine.models.library.removal import erase, plan_removal, remove, rename
from tests.gguf_files import tiny_model
from tests.hub_snapshots import COMMIT, OLDER, write_snapshot
from tests.model_folders import write_model
from tests.trash import trash

__all__ = ["trash"]


def row(path: Path, origin: str = "added") -> BrokenDescription:
    return BrokenDescription(f"owner/{path.name}", path, "", origin)  # type: ignore[arg-type]


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())


def test_a_model_goes_to_the_trash_and_its_owner_with_the_last(trash: Path, tmp_path: Path) -> None:
    """It is whole there, and the library has it no more."""
    models = tmp_path / "models"
    folder = write_model(models / "owner" / "tiny")
    expected = size(folder)
    removal = plan_removal(row(folder, "facet"))
    assert (removal.paths, removal.frees_bytes, removal.shared_bytes) == ((folder,), expected, 0)
    remove(removal)
    assert size(trash / "tiny") == expected
    assert list(models.iterdir()) == []


def test_what_makes_room_goes_past_the_trash(trash: Path, tmp_path: Path) -> None:
    """Another snapshot of the repository stays whole."""
    older, newer = (write_snapshot(tmp_path / "hub", commit=commit) for commit in (OLDER, COMMIT))
    expected = plan_removal(row(newer, "huggingface"))
    erase(expected)
    assert not any(path.exists() for path in expected.paths)
    assert all(file.is_file() for file in older.iterdir())
    assert not trash.exists()


def test_an_owner_with_other_models_stays(trash: Path, tmp_path: Path) -> None:
    """Only an empty folder is taken away."""
    for name in ("one", "two"):
        write_model(tmp_path / "models" / "owner" / name)
    remove(plan_removal(row(tmp_path / "models" / "owner" / "one", "facet")))
    assert [path.name for path in (tmp_path / "models" / "owner").iterdir()] == ["two"]


def test_hard_links_and_links_free_nothing(tmp_path: Path) -> None:
    """What has another name stays on the disk."""
    folder = write_model(tmp_path / "a")
    all_bytes = size(folder)
    os.link(folder / "model.safetensors", tmp_path / "kept")
    (folder / "README.md").symlink_to(tmp_path / "kept")
    weights = (tmp_path / "kept").stat().st_size
    removal = plan_removal(row(folder))
    assert (removal.frees_bytes, removal.shared_bytes) == (all_bytes - weights, 2 * weights)


def test_of_a_linked_folder_only_the_link_goes(trash: Path, tmp_path: Path) -> None:
    """The model itself, on another disk perhaps, is left alone."""
    folder = write_model(tmp_path / "disk" / "tiny")
    link = tmp_path / "models" / "owner" / "tiny"
    link.parent.mkdir(parents=True)
    link.symlink_to(folder)
    removal = plan_removal(row(link, "facet"))
    assert removal.frees_bytes == 0
    remove(removal)
    assert not link.is_symlink()
    assert (folder / "model.safetensors").exists()


def test_a_gguf_file_goes_with_its_parts(trash: Path, tmp_path: Path) -> None:
    """And without its neighbours."""
    (tmp_path / "disk").mkdir()
    for name in ("m-00001-of-00002.gguf", "m-00002-of-00002.gguf", "other.gguf"):
        tiny_model().write(tmp_path / "disk" / name)
    remove(plan_removal(row(tmp_path / "disk" / "m-00001-of-00002.gguf")))
    assert [path.name for path in (tmp_path / "disk").iterdir()] == ["other.gguf"]


def test_the_only_snapshot_of_a_repository_goes_with_it(trash: Path, tmp_path: Path) -> None:
    """Links, contents and names, in one piece."""
    snapshot = write_snapshot(tmp_path / "hub")
    repository = tmp_path / "hub" / "models--owner--tiny"
    removal = plan_removal(row(snapshot, "huggingface"))
    assert removal.frees_bytes == size(repository)
    remove(removal)
    assert list((tmp_path / "hub").iterdir()) == []
    assert (trash / "models--owner--tiny" / "snapshots" / COMMIT / "model.safetensors").is_file()


def test_what_another_snapshot_needs_stays(trash: Path, tmp_path: Path) -> None:
    """Only the contents of its own go, and the rest of the cache is whole afterwards."""
    hub = tmp_path / "hub"
    other, snapshot = write_snapshot(hub, commit=OLDER), write_snapshot(hub, commit=COMMIT)
    (snapshot / "tokenizer.json").unlink()
    (snapshot / "tokenizer.json").symlink_to("../../blobs/0000tokenizer.json")
    removal = plan_removal(row(snapshot, "huggingface"))
    own = [snapshot / name for name in ("config.json", "model.safetensors")]
    assert removal.frees_bytes == sum(link.stat().st_size for link in own)
    assert removal.shared_bytes == (other / "tokenizer.json").stat().st_size
    remove(removal)
    assert [(found.path, found.revision) for found in survey([Root("huggingface", hub)]).rows] == [(other, OLDER)]  # type: ignore[union-attr]
    assert not (hub / "models--owner--tiny" / "refs" / "main").exists()
    assert [path.name for path in hub.iterdir()] == ["models--owner--tiny"]
    deleted = trash / "models--owner--tiny"
    assert (deleted / "snapshots" / COMMIT / "model.safetensors").is_file()


def test_a_snapshot_that_the_trash_refuses_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost or left half done."""
    hub = tmp_path / "hub"
    write_snapshot(hub, commit=OLDER)
    snapshot = write_snapshot(hub, commit=COMMIT)
    before = sorted(hub.rglob("*"))

    def refuse(paths: list[str]) -> None:
        raise PermissionError("no")

    monkeypatch.setattr("send2trash.send2trash", refuse)
    with pytest.raises(StorageError, match="could not be moved to the trash"):
        remove(plan_removal(row(snapshot, "huggingface")))
    assert sorted(hub.rglob("*")) == before


def test_a_repository_that_is_being_downloaded_is_left_alone(tmp_path: Path) -> None:
    """By a program that has written to it just now, or by one that has it locked."""
    snapshot = write_snapshot(tmp_path / "hub")
    part = tmp_path / "hub" / "models--owner--tiny" / "blobs" / "abc.incomplete"
    part.touch()
    with pytest.raises(StorageError, match="is being downloaded"):
        plan_removal(row(snapshot, "huggingface"))
    os.utime(part, (0, 0))
    assert plan_removal(row(snapshot, "huggingface"))
    with part.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match="is being downloaded"):
            plan_removal(row(snapshot, "huggingface"))


def test_a_model_that_is_gone_cannot_be_deleted(tmp_path: Path) -> None:
    """Somebody else was faster."""
    with pytest.raises(ModelNotFound, match="not there any more"):
        plan_removal(row(tmp_path / "gone"))


def test_a_model_is_renamed(tmp_path: Path) -> None:
    """Its folder has the new name."""
    folder = write_model(tmp_path / "models" / "owner" / "old")
    assert rename(row(folder), tmp_path / "models", "new") == tmp_path / "models" / "owner" / "new"
    assert (tmp_path / "models" / "owner" / "new" / "config.json").exists()


@pytest.mark.parametrize("name", ["", " ", "a/b", "..", ".hidden", "x.partial", "a\0b", "taken"])
def test_a_name_that_cannot_be_one_is_refused(name: str, tmp_path: Path) -> None:
    """It would leave the folder, hide the model or hit another one."""
    folder = write_model(tmp_path / "models" / "owner" / "old")
    write_model(tmp_path / "models" / "owner" / "taken")
    with pytest.raises(InvalidParameter):
        rename(row(folder), tmp_path / "models", name)
    assert folder.exists()


def test_models_of_other_programs_keep_their_names(tmp_path: Path) -> None:
    """They would not find them again."""
    with pytest.raises(StorageError, match="another program"):
        rename(row(write_model(tmp_path / "elsewhere")), tmp_path / "models", "new")


def test_a_loaded_model_is_kept(trash: Path, tmp_path: Path) -> None:
    """Whichever process has loaded it; once that is killed, the model can be renamed and deleted."""
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
    remove(plan_removal(row(rename(row(folder, "facet"), models, "other"), "facet")))
    assert (trash / "other").is_dir()
