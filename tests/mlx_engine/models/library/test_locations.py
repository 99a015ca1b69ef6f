import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mlx_engine.folders import Folders
from mlx_engine.models.library.locations import Root, find_locations, standard_roots
from tests.gguf_files import GGUFFile
from tests.hub_snapshots import COMMIT, OLDER, write_snapshot
from tests.model_folders import write_model


def ids(kind: str, path: Path) -> list[str]:
    return [location.id for location in find_locations(Root(kind, path))]  # type: ignore[arg-type]


def test_a_snapshot_of_the_hugging_face_cache_is_a_location(tmp_path: Path) -> None:
    """Its name, repository and commit come from its path; data sets and other folders are skipped."""
    snapshot = write_snapshot(tmp_path / "hub")
    (tmp_path / "hub" / "datasets--a--b" / "snapshots" / COMMIT).mkdir(parents=True)
    (tmp_path / "hub" / ".locks").mkdir()
    (location,) = find_locations(Root("huggingface", tmp_path / "hub"))
    assert (location.id, location.path) == ("owner/tiny", snapshot)
    assert (location.source, location.revision) == ("owner/tiny", COMMIT)


def test_the_snapshot_of_the_main_branch_comes_first(tmp_path: Path) -> None:
    """Other snapshots of the repository have their commit in their id."""
    write_snapshot(tmp_path / "hub", commit=OLDER)
    write_snapshot(tmp_path / "hub", commit=COMMIT)
    assert ids("huggingface", tmp_path / "hub") == ["owner/tiny", "owner/tiny@0000000"]


def without(name: str) -> Callable[[Path], None]:
    return lambda snapshot: (snapshot / name).unlink()


def blob_missing(snapshot: Path) -> None:
    (snapshot / "model.safetensors").resolve().unlink()


def part_missing(snapshot: Path) -> None:
    (snapshot / "model.safetensors").rename(snapshot / "model-00001-of-00002.safetensors")


@pytest.mark.parametrize("change", [without("config.json"), without("model.safetensors"), blob_missing, part_missing])
def test_an_incomplete_snapshot_is_skipped(change: Callable[[Path], None], tmp_path: Path) -> None:
    """Another app may still be downloading it."""
    change(write_snapshot(tmp_path / "hub"))
    assert ids("huggingface", tmp_path / "hub") == []


def test_gguf_files_of_a_snapshot_are_locations(tmp_path: Path) -> None:
    """A repository of GGUF files contains several models and no configuration."""
    snapshot = tmp_path / "hub" / "models--owner--tiny" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for name in ("tiny-Q4_0.gguf", "tiny-Q8_0.gguf"):
        GGUFFile().write(snapshot / name)
    (snapshot / "tiny-F16.gguf").symlink_to(tmp_path / "downloading")
    assert ids("huggingface", tmp_path / "hub") == ["owner/tiny/tiny-Q4_0", "owner/tiny/tiny-Q8_0"]


def test_models_and_gguf_files_are_found_below_added_folders(tmp_path: Path) -> None:
    """The search goes a few levels deep. The parts of a file count once, and vision projectors are skipped."""
    write_model(tmp_path / "top" / "owner" / "model")
    for name in ("b.gguf", "a-00001-of-00002.gguf", "a-00002-of-00002.gguf", "mmproj-b.gguf"):
        GGUFFile().write(tmp_path / "top" / "owner" / name)
    write_model(tmp_path / "top" / "1" / "2" / "3" / "4" / "5" / "too deep")
    write_model(tmp_path / "top" / "owner" / "new.partial")
    assert set(ids("added", tmp_path / "top")) == {"owner/model", "owner/b", "owner/a"}
    assert ids("added", tmp_path / "top" / "owner" / "model") == ["owner/model"]


def test_a_hugging_face_cache_can_be_added(tmp_path: Path) -> None:
    """It may be on another disk."""
    write_snapshot(tmp_path / "disk" / "hub")
    assert "owner/tiny" in ids("added", tmp_path / "disk" / "hub")


@pytest.mark.parametrize("kind", ["facet", "huggingface", "lmstudio", "added"])
def test_a_disconnected_disk_has_no_locations(kind: str, tmp_path: Path) -> None:
    """It is not an error."""
    assert ids(kind, tmp_path / "unplugged") == []


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    """A link to a parent folder is followed a few levels at most."""
    write_model(tmp_path / "a" / "model")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert len(ids("added", tmp_path)) < 10


def stamp(folder: Path) -> str:
    (location,) = find_locations(Root("added", folder))
    return location.stamp


def replaced_in_place(folder: Path) -> None:
    status = (folder / "config.json").stat()
    copy = folder / "copy"
    copy.write_bytes((folder / "config.json").read_bytes())
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    copy.replace(folder / "config.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: os.utime(folder / "config.json", ns=(1, 1)),
        lambda folder: (folder / "README.md").touch(),
        lambda folder: (folder / "tokenizer.json").unlink(),
        lambda folder: (folder / "tokenizer.json").rename(folder / "vocab.json"),
        replaced_in_place,
    ],
)
def test_a_stamp_changes_with_any_file(change: Callable[[Path], object], tmp_path: Path) -> None:
    """It may be touched, added, deleted, renamed, or replaced by a file of the same size and time."""
    folder = write_model(tmp_path / "a" / "model")
    before = stamp(folder)
    assert stamp(folder) == before
    change(folder)
    assert stamp(folder) != before


def test_standard_roots_include_other_apps_only_if_they_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facet's folder and the added folders are always included."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    folders = Folders(data=tmp_path, cache=tmp_path, logs=tmp_path)
    added = tmp_path / "disk"
    assert [root.kind for root in standard_roots(folders, [added])] == ["facet", "added"]
    (tmp_path / "hub").mkdir()
    (tmp_path / ".lmstudio" / "models").mkdir(parents=True)
    assert standard_roots(folders, [added]) == [
        Root("facet", tmp_path / "models"),
        Root("huggingface", tmp_path / "hub"),
        Root("lmstudio", tmp_path / ".lmstudio" / "models"),
        Root("added", added),
    ]
