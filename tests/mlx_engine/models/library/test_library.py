import os
import unicodedata
from pathlib import Path

import pytest

from mlx_engine.errors import BrokenModel, ModelNotFound, StorageError
from mlx_engine.models.description.describe import BrokenDescription, ModelDescription
from mlx_engine.models.library.library import Row, find_model, scan
from mlx_engine.models.library.locations import Root
from tests.gguf_files import tiny_model
from tests.model_folders import write_model


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A library of two owners, with a broken model and files that are not models."""
    folder = tmp_path / "models"
    for name in ("zebra/Alpha-4bit", "apple/beta", "apple/gamma", "zebra/gamma", "zebra/new.partial"):
        write_model(folder / name)
    (folder / "apple" / "empty").mkdir()
    (folder / "apple" / ".hidden").mkdir()
    (folder / "apple" / "notes.txt").touch()
    (folder / ".DS_Store").touch()
    return folder


def find(models: Path, name: str) -> ModelDescription:
    return find_model([Root("facet", models)], name)


def facet_rows(models: Path) -> list[Row]:
    return list(scan([Root("facet", models)]).rows)


def test_models_are_rows_sorted_by_name(models: Path) -> None:
    """Broken models are included; partial folders, hidden folders and files are not."""
    rows = facet_rows(models)
    assert [row.id for row in rows] == ["zebra/Alpha-4bit", "apple/beta", "apple/empty", "apple/gamma", "zebra/gamma"]
    broken = [row for row in rows if isinstance(row, BrokenDescription)]
    assert [(row.id, row.name, row.path) for row in broken] == [("apple/empty", "empty", models / "apple" / "empty")]
    assert broken[0].problem == "config.json is missing. Download the model again."


def test_a_missing_folder_is_an_empty_library(tmp_path: Path) -> None:
    """Before the first model, the folder does not exist."""
    assert facet_rows(tmp_path / "absent") == []


def test_a_library_that_is_a_file_raises_a_storage_error(tmp_path: Path) -> None:
    """It cannot be listed."""
    (tmp_path / "models").touch()
    with pytest.raises(StorageError, match="Couldn't read"):
        facet_rows(tmp_path / "models")


def test_links_are_followed_and_loops_are_not(models: Path, tmp_path: Path) -> None:
    """A link to a model on another disk is a row; a link to itself and a broken link are not."""
    (models / "linked").mkdir()
    write_model(tmp_path / "other disk" / "delta").rename(tmp_path / "delta")
    (models / "linked" / "delta").symlink_to(tmp_path / "delta")
    (models / "linked" / "loop").symlink_to(models / "linked" / "loop")
    (models / "linked" / "gone").symlink_to(tmp_path / "absent")
    assert [row.id for row in facet_rows(models) if row.id.startswith("linked")] == ["linked/delta"]


@pytest.mark.parametrize("name", ["zebra/Alpha-4bit", "ZEBRA/alpha-4BIT", "Alpha-4bit", "alpha-4bit"])
def test_a_model_is_found_by_id_and_by_name(name: str, models: Path) -> None:
    """Case is ignored."""
    assert find(models, name).id == "zebra/Alpha-4bit"


def test_a_name_matches_composed_and_decomposed_accents(models: Path) -> None:
    """macOS treats them as equal, and so does the library."""
    write_model(models / "owner" / unicodedata.normalize("NFD", "Café"))
    assert find(models, unicodedata.normalize("NFC", "café")).path.parent.name == "owner"


def test_a_model_is_found_by_its_path(models: Path, tmp_path: Path) -> None:
    """The folder may be outside the library."""
    folder = write_model(tmp_path / "elsewhere" / "mine")
    assert find(models, str(folder)).id == "elsewhere/mine"


def test_an_ambiguous_name_is_refused(models: Path) -> None:
    """The error lists the ids, and an id is unambiguous."""
    with pytest.raises(ModelNotFound, match=r"Choose one of apple/gamma, zebra/gamma\."):
        find(models, "gamma")
    assert find(models, "apple/gamma").id == "apple/gamma"


@pytest.mark.parametrize("name", ["delta", "", "/", "../models", "a\x00b", "new.partial"])
def test_an_unknown_name_lists_the_models(name: str, models: Path) -> None:
    """A wrong name, or a path that is not a model, never matches another model."""
    with pytest.raises((ModelNotFound, BrokenModel)) as raised:
        find(models, name)
    if isinstance(raised.value, ModelNotFound):
        assert "The library contains apple/beta" in raised.value.message


def test_an_unknown_name_suggests_similar_models(tmp_path: Path) -> None:
    """A long library is not listed in full."""
    for number in range(20):
        write_model(tmp_path / "maker" / f"Whale-{number}B-4bit")
    write_model(tmp_path / "maker" / "Orca")
    with pytest.raises(ModelNotFound, match=r"Did you mean maker/Whale-17B-4bit or maker/Whale-7B-4bit\?$"):
        find(tmp_path, "7b-4BIT")
    with pytest.raises(ModelNotFound, match=r"Did you mean maker/Orca\?$"):
        find(tmp_path, "orka")
    with pytest.raises(ModelNotFound, match=r"The library contains 21 other models\.$"):
        find(tmp_path, "zzz")


def test_an_unknown_name_in_an_empty_library_says_so(tmp_path: Path) -> None:
    """The error does not list any models."""
    with pytest.raises(ModelNotFound, match="is empty"):
        find(tmp_path / "absent", "any")


def test_finding_a_broken_model_raises_its_problem(models: Path) -> None:
    """The problem of the model is the error."""
    with pytest.raises(BrokenModel, match=r"config\.json is missing"):
        find(models, "empty")


def test_several_roots_are_one_library(models: Path, tmp_path: Path) -> None:
    """Rows have their origin, models with the same name have different ids, and all can be found."""
    for root in ("studio", "disk"):
        write_model(tmp_path / root / "apple" / "beta")
    roots = [Root("facet", models), Root("lmstudio", tmp_path / "studio"), Root("added", tmp_path / "disk")]
    library = scan([*roots, Root("added", tmp_path / "unplugged")])
    beta = {row.id: row.origin for row in library.rows if row.name == "beta"}
    assert beta == {"apple/beta": "facet", "apple/beta@lmstudio": "lmstudio", "apple/beta@added": "added"}
    assert library.absent == (Root("added", tmp_path / "unplugged"),)
    assert find_model(roots, "apple/beta@added").path == tmp_path / "disk" / "apple" / "beta"


def test_overlapping_roots_do_not_duplicate_models(models: Path) -> None:
    """A folder that is added twice is listed once."""
    once = scan([Root("facet", models)])
    assert [row.path for row in scan([Root("facet", models), Root("added", models)]).rows] == [
        row.path for row in once.rows
    ]


def test_unchanged_models_are_not_read_again(models: Path, tmp_path: Path) -> None:
    """The second scan returns the same, although the header of a model has become unreadable."""
    cache = tmp_path / "library.json"
    first = scan([Root("facet", models)], cache)
    weights = models / "apple" / "beta" / "model.safetensors"
    status = weights.stat()
    with weights.open("r+b") as file:
        file.write(b"damaged!")
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert scan([Root("facet", models)], cache) == first
    weights.touch()
    changed = scan([Root("facet", models)], cache)
    assert [row.id for row in changed.rows if isinstance(row, BrokenDescription)] == ["apple/beta", "apple/empty"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, 2]", b'{"written_by": "another", "entries": {}}', bytes(100)])
def test_a_damaged_cache_is_ignored(content: bytes, models: Path, tmp_path: Path) -> None:
    """The models are read again."""
    cache = tmp_path / "library.json"
    cache.write_bytes(content)
    assert scan([Root("facet", models)], cache) == scan([Root("facet", models)])


def test_a_scan_works_without_a_writable_cache(models: Path, tmp_path: Path) -> None:
    """A full disk or missing permission does not prevent the scan."""
    (tmp_path / "file").touch()
    assert scan([Root("facet", models)], tmp_path / "file" / "library.json").rows


def test_a_deleted_model_leaves_the_cache(models: Path, tmp_path: Path) -> None:
    """A model that is deleted between two scans is neither a row nor a cache entry."""
    cache = tmp_path / "library.json"
    scan([Root("facet", models)], cache)
    (models / "apple" / "beta").rename(tmp_path / "beta")
    assert "apple/beta" not in [row.id for row in scan([Root("facet", models)], cache).rows]
    assert "beta" not in cache.read_text()


def test_the_cache_keeps_the_models_of_a_disconnected_disk(tmp_path: Path) -> None:
    """After it is reconnected, its models are listed without being read again."""
    cache, disk = tmp_path / "library.json", tmp_path / "disk"
    weights = write_model(disk / "owner" / "model") / "model.safetensors"
    first = scan([Root("added", disk)], cache)
    disk.rename(tmp_path / "unplugged")
    assert not scan([Root("added", disk)], cache).rows
    (tmp_path / "unplugged").rename(disk)
    status = weights.stat()
    with weights.open("r+b") as file:
        file.write(b"damaged!")
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert scan([Root("added", disk)], cache) == first


def test_a_thousand_models_are_a_thousand_rows(tmp_path: Path) -> None:
    """With and without a cache, none is missing or duplicate, and a broken model is a row."""
    files = list(write_model(tmp_path / "one").iterdir())
    for number in range(1000):
        folder = tmp_path / "models" / f"owner-{number % 50}" / f"model-{number}"
        folder.mkdir(parents=True)
        for file in files:
            os.link(file, folder / file.name)
    (tmp_path / "models" / "owner-7" / "model-7" / "config.json").unlink()
    for _ in range(2):
        rows = scan([Root("facet", tmp_path / "models")], tmp_path / "library.json").rows
        assert len({row.id for row in rows}) == len(rows) == 1000
        assert [row.name for row in rows if isinstance(row, BrokenDescription)] == ["model-7"]


def test_a_gguf_file_is_found_by_its_path(tmp_path: Path) -> None:
    """It does not need to be in the library."""
    file = tiny_model().write(tmp_path / "tiny.gguf")
    assert find(tmp_path / "absent", str(file)).name == "tiny"
