import os
import unicodedata
from pathlib import Path

import pytest

from mlx_engine.errors import BrokenModel, ModelNotFound, StorageError
from mlx_engine.models.description.describe import BrokenDescription
from mlx_engine.models.library.library import Row, find, find_among, survey
from mlx_engine.models.library.places import Root
from tests.gguf_files import tiny_model
from tests.model_folders import write_model


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A library of two owners, with a broken model and things that are no models."""
    folder = tmp_path / "models"
    for name in ("zebra/Alpha-4bit", "apple/beta", "apple/gamma", "zebra/gamma", "zebra/new.partial"):
        write_model(folder / name)
    (folder / "apple" / "empty").mkdir()
    (folder / "apple" / ".hidden").mkdir()
    (folder / "apple" / "notes.txt").touch()
    (folder / ".DS_Store").touch()
    return folder


def own_rows(models: Path) -> list[Row]:
    return list(survey([Root("facet", models)]).rows)


def test_every_model_is_a_row_by_name(models: Path) -> None:
    """Whole and broken ones, in the order of their names; unfinished and hidden folders and files are none."""
    rows = own_rows(models)
    assert [row.id for row in rows] == ["zebra/Alpha-4bit", "apple/beta", "apple/empty", "apple/gamma", "zebra/gamma"]
    broken = [row for row in rows if isinstance(row, BrokenDescription)]
    assert [(row.id, row.name, row.path) for row in broken] == [("apple/empty", "empty", models / "apple" / "empty")]
    assert broken[0].problem == "config.json is missing. Download the model again."


def test_no_folder_is_an_empty_library(tmp_path: Path) -> None:
    """Before the first model there is nothing, and that is no error."""
    assert own_rows(tmp_path / "absent") == []


def test_a_library_that_is_a_file_is_told(tmp_path: Path) -> None:
    """What cannot be listed is a sentence."""
    (tmp_path / "models").touch()
    with pytest.raises(StorageError, match="cannot be read"):
        own_rows(tmp_path / "models")


def test_links_are_followed_and_loops_are_not(models: Path, tmp_path: Path) -> None:
    """A model on another disk is a row; a link to itself and one to nowhere are none."""
    (models / "linked").mkdir()
    write_model(tmp_path / "other disk" / "delta").rename(tmp_path / "delta")
    (models / "linked" / "delta").symlink_to(tmp_path / "delta")
    (models / "linked" / "loop").symlink_to(models / "linked" / "loop")
    (models / "linked" / "gone").symlink_to(tmp_path / "absent")
    assert [row.id for row in own_rows(models) if row.id.startswith("linked")] == ["linked/delta"]


@pytest.mark.parametrize("name", ["zebra/Alpha-4bit", "ZEBRA/alpha-4BIT", "Alpha-4bit", "alpha-4bit"])
def test_a_model_is_found_by_id_and_by_name(name: str, models: Path) -> None:
    """Case does not matter."""
    assert find(models, name).id == "zebra/Alpha-4bit"


def test_a_name_is_found_however_its_accents_are_written(models: Path) -> None:
    """macOS takes composed and decomposed letters for the same, and so does the library."""
    write_model(models / "owner" / unicodedata.normalize("NFD", "Café"))
    assert find(models, unicodedata.normalize("NFC", "café")).path.parent.name == "owner"


def test_a_model_is_found_by_its_path(models: Path, tmp_path: Path) -> None:
    """Any model folder will do, in the library or not."""
    folder = write_model(tmp_path / "elsewhere" / "mine")
    assert find(models, str(folder)).id == "elsewhere/mine"


def test_a_name_of_several_asks_which(models: Path) -> None:
    """The error gives the ids to choose from, and the id settles it."""
    with pytest.raises(ModelNotFound, match=r"apple/gamma, zebra/gamma\. Say which"):
        find(models, "gamma")
    assert find(models, "apple/gamma").id == "apple/gamma"


@pytest.mark.parametrize("name", ["delta", "", "/", "../models", "a\x00b", "new.partial"])
def test_a_name_of_none_says_what_there_is(name: str, models: Path) -> None:
    """A wrong name, or a path to something that is no model, never finds another."""
    with pytest.raises((ModelNotFound, BrokenModel)) as raised:
        find(models, name)
    if isinstance(raised.value, ModelNotFound):
        assert "Facet has apple/beta" in raised.value.message


def test_of_many_models_those_with_names_near_to_it_are_told(tmp_path: Path) -> None:
    """Not all of them."""
    for number in range(20):
        write_model(tmp_path / "maker" / f"Whale-{number}B-4bit")
    write_model(tmp_path / "maker" / "Orca")
    with pytest.raises(ModelNotFound, match=r"Did you mean maker/Whale-17B-4bit or maker/Whale-7B-4bit\?$"):
        find(tmp_path, "7b-4BIT")
    with pytest.raises(ModelNotFound, match=r"Did you mean maker/Orca\?$"):
        find(tmp_path, "orka")
    with pytest.raises(ModelNotFound, match=r"Facet has 21 others\.$"):
        find(tmp_path, "zzz")


def test_an_empty_library_says_so(tmp_path: Path) -> None:
    """Where there is nothing, the error does not list it."""
    with pytest.raises(ModelNotFound, match="no models yet"):
        find(tmp_path / "absent", "any")


def test_a_broken_model_says_why(models: Path) -> None:
    """Asked for by name, the problem of a broken model is the error."""
    with pytest.raises(BrokenModel, match=r"config\.json is missing"):
        find(models, "empty")


def test_several_roots_are_one_library(models: Path, tmp_path: Path) -> None:
    """Each row says whose folder it is; what is called the same has ids of its own, and a name is found in all."""
    for root in ("studio", "disk"):
        write_model(tmp_path / root / "apple" / "beta")
    roots = [Root("facet", models), Root("lmstudio", tmp_path / "studio"), Root("added", tmp_path / "disk")]
    found = survey([*roots, Root("added", tmp_path / "unplugged")])
    beta = {row.id: row.origin for row in found.rows if row.name == "beta"}
    assert beta == {"apple/beta": "facet", "apple/beta@lmstudio": "lmstudio", "apple/beta@added": "added"}
    assert found.absent == (Root("added", tmp_path / "unplugged"),)
    assert find_among(roots, "apple/beta@added").path == tmp_path / "disk" / "apple" / "beta"


def test_roots_that_overlap_do_not_double_models(models: Path) -> None:
    """A folder that is added although it is there already adds nothing."""
    once = survey([Root("facet", models)])
    assert [row.path for row in survey([Root("facet", models), Root("added", models)]).rows] == [
        row.path for row in once.rows
    ]


def test_what_has_not_changed_is_not_read_again(models: Path, tmp_path: Path) -> None:
    """The second reading gives the same, though the header of a model could not be read any more."""
    cache = tmp_path / "library.json"
    first = survey([Root("facet", models)], cache)
    weights = models / "apple" / "beta" / "model.safetensors"
    status = weights.stat()
    with weights.open("r+b") as file:
        file.write(b"damaged!")
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert survey([Root("facet", models)], cache) == first
    weights.touch()
    changed = survey([Root("facet", models)], cache)
    assert [row.id for row in changed.rows if isinstance(row, BrokenDescription)] == ["apple/beta", "apple/empty"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, 2]", b'{"made_by": "another", "entries": {}}', bytes(100)])
def test_a_damaged_cache_is_read_over(content: bytes, models: Path, tmp_path: Path) -> None:
    """It is only a cache."""
    cache = tmp_path / "library.json"
    cache.write_bytes(content)
    assert survey([Root("facet", models)], cache) == survey([Root("facet", models)])


def test_a_cache_that_cannot_be_written_is_done_without(models: Path, tmp_path: Path) -> None:
    """A full disk or missing rights do not keep the library from being shown."""
    (tmp_path / "file").touch()
    assert survey([Root("facet", models)], tmp_path / "file" / "library.json").rows


def test_a_model_that_is_gone_leaves_the_cache(models: Path, tmp_path: Path) -> None:
    """What is deleted between two readings is no row, and comes back as a new one."""
    cache = tmp_path / "library.json"
    survey([Root("facet", models)], cache)
    (models / "apple" / "beta").rename(tmp_path / "beta")
    assert "apple/beta" not in [row.id for row in survey([Root("facet", models)], cache).rows]
    assert "beta" not in cache.read_text()


def test_what_was_read_of_a_disk_that_is_away_is_kept(tmp_path: Path) -> None:
    """Plugged in again, its models are there without being read anew."""
    cache, disk = tmp_path / "library.json", tmp_path / "disk"
    weights = write_model(disk / "owner" / "model") / "model.safetensors"
    first = survey([Root("added", disk)], cache)
    disk.rename(tmp_path / "unplugged")
    assert not survey([Root("added", disk)], cache).rows
    (tmp_path / "unplugged").rename(disk)
    status = weights.stat()
    with weights.open("r+b") as file:
        file.write(b"damaged!")
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert survey([Root("added", disk)], cache) == first


def test_five_thousand_models_are_five_thousand_rows(tmp_path: Path) -> None:
    """None is lost or doubled, the first time and again, and one that is broken is a row among them."""
    files = list(write_model(tmp_path / "one").iterdir())
    for number in range(5000):
        folder = tmp_path / "models" / f"owner-{number % 50}" / f"model-{number}"
        folder.mkdir(parents=True)
        for file in files:
            os.link(file, folder / file.name)
    (tmp_path / "models" / "owner-7" / "model-7" / "config.json").unlink()
    for _ in range(2):
        rows = survey([Root("facet", tmp_path / "models")], tmp_path / "library.json").rows
        assert len({row.id for row in rows}) == len(rows) == 5000
        assert [row.name for row in rows if isinstance(row, BrokenDescription)] == ["model-7"]


def test_a_gguf_file_is_found_by_its_path(tmp_path: Path) -> None:
    """As a model folder is."""
    file = tiny_model().write(tmp_path / "tiny.gguf")
    assert find(tmp_path / "absent", str(file)).name == "tiny"
