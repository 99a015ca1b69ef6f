"""Listing, finding and deleting stored references."""

import os
from pathlib import Path

import msgspec
import pytest

from mlx_engine.errors import ModelNotFound, NoSpace, StorageError
from mlx_engine.measure.results import references as module
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.header import ReferenceHeader
from mlx_engine.measure.results.messages import CorpusSource, RecordReference
from mlx_engine.measure.results.references import (
    delete_reference,
    find_reference,
    require_space,
    stored_references,
    trim,
)
from mlx_engine.models.files.staging import in_use


def _folder(root: Path, name: str, *, used: float) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "chunk-00000").write_bytes(b"x" * 1000)
    os.utime(folder / "chunk-00000", (used, used))
    return folder


def _reference(root: Path, model: str, *, folder: str = "", weights: str = "w", **changed: object) -> Path:
    """Write the reference of a model for one chunk."""
    header = ReferenceHeader(
        model=model,
        folder=folder,
        weights=weights,
        corpus="facet",
        sample="s",
        convention=Convention(),
        kinds=("prose",),
        vocabulary=384,
        tail_mass=0.01,
        limit_tokens=8192,
    )
    header = msgspec.structs.replace(header, **changed)
    folder_path = _folder(root, header.key, used=1.0)
    (folder_path / "reference.json").write_bytes(msgspec.json.encode(header))
    return folder_path


def _request(model: str, **changed: object) -> RecordReference:
    return msgspec.structs.replace(RecordReference(id=model, model="", limit_tokens=8192), **changed)


def test_references_used_longest_ago_are_deleted_first(tmp_path: Path) -> None:
    """As many as needed to respect the limit."""
    for name, used in (("b", 1.0), ("a", 2.0), ("c", 3.0)):
        _folder(tmp_path, name, used=used)
    trim(tmp_path, keep=(), max_bytes=2000)
    assert [reference.folder.name for reference in stored_references(tmp_path)] == ["a", "c"]


def test_needed_references_are_not_deleted(tmp_path: Path) -> None:
    """Regardless of age and size; those in use are needed too."""
    old, busy = _folder(tmp_path, "old", used=1.0), _folder(tmp_path, "busy", used=1.0)
    _folder(tmp_path, "new", used=2.0)
    with in_use(busy):
        trim(tmp_path, keep={old}, max_bytes=500)
    assert [reference.folder for reference in stored_references(tmp_path)] == [busy, old]


def test_exceeding_the_limit_is_rejected(tmp_path: Path) -> None:
    """Unless other references can be deleted."""
    old = _folder(tmp_path, "old", used=1.0)
    with pytest.raises(NoSpace, match=r"would take 5\.0 GB, more than the limit of 5 GB"):
        require_space(tmp_path, 4_999_999_500, keep={old})
    require_space(tmp_path, 4_999_999_500, keep=())
    assert not old.exists()


def test_complete_references_need_no_space(tmp_path: Path) -> None:
    require_space(tmp_path, 0, keep={_folder(tmp_path, "old", used=1.0)}, max_bytes=500)


def test_a_full_disk_is_reported_with_the_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_bytes", lambda folder: 2_000_000)
    with pytest.raises(NoSpace, match="about 3 MB more, but only 2 MB is free"):
        require_space(tmp_path, 3_000_000, keep=())


def test_a_damaged_reference_is_listed_as_incomplete(tmp_path: Path) -> None:
    """It takes space and can be deleted."""
    _folder(tmp_path, "damaged", used=1.0)
    (reference,) = stored_references(tmp_path)
    assert (reference.header, reference.size_bytes, reference.is_complete) == (None, 1000, False)


def test_a_header_in_the_wrong_folder_is_ignored(tmp_path: Path) -> None:
    """Its key shows that it was modified or moved."""
    (reference,) = stored_references(_reference(tmp_path, "maker/model").rename(tmp_path / "other").parent)
    assert reference.header is None


def test_a_link_is_not_a_reference(tmp_path: Path) -> None:
    """Its target is not Facet's to delete."""
    _folder(tmp_path / "elsewhere", "photos", used=1.0)
    (tmp_path / "references").mkdir()
    (tmp_path / "references" / "link").symlink_to(tmp_path / "elsewhere" / "photos")
    trim(tmp_path / "references", keep=(), max_bytes=0)
    assert (tmp_path / "elsewhere" / "photos" / "chunk-00000").exists()


def test_a_reference_in_use_is_not_deleted(tmp_path: Path) -> None:
    (reference,) = stored_references(_folder(tmp_path, "a", used=1.0).parent)
    with in_use(reference.folder), pytest.raises(StorageError, match="is using"):
        delete_reference(reference)
    delete_reference(reference)
    assert not list(stored_references(tmp_path))


@pytest.mark.parametrize(
    ("stored", "requested"),
    [
        ("maker/Model", "maker/Model"),
        ("maker/Model", "model"),
        ("Model", "maker/Model"),
        ("maker/Model", "/models/maker/Model"),
        ("/models/maker/Model/", "maker/Model"),
        ("maker/Model@added", "maker/Model"),
        ("maker/Model", "/old/place"),
    ],
)
def test_a_reference_is_found_by_id_name_or_folder(tmp_path: Path, stored: str, requested: str) -> None:
    """Even if the original was deleted."""
    expected = _reference(tmp_path, stored, folder="/old/place")
    assert find_reference(tmp_path, _request(requested)) == expected


@pytest.mark.parametrize("requested", ["other/Model", "/models/other/Model", "Mode", "", "/", "."])
def test_a_reference_of_another_model_is_not_found(tmp_path: Path, requested: str) -> None:
    """A model of another publisher may have the same name."""
    _reference(tmp_path, "maker/Model", folder="/old/place")
    assert find_reference(tmp_path, _request(requested)) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"corpus": CorpusSource(kinds=("code",))},
        {"corpus": CorpusSource(dataset="wikitext-2")},
        {"limit_tokens": 0},
        {"tail_mass": 0.1},
        {"convention": Convention(scored="all")},
        {"is_stand_in": True},
    ],
)
def test_a_reference_with_other_settings_is_not_found(tmp_path: Path, changed: dict[str, object]) -> None:
    _reference(tmp_path, "maker/Model")
    assert find_reference(tmp_path, _request("maker/Model", **changed)) is None


def test_the_commit_of_a_data_set_is_optional(tmp_path: Path) -> None:
    """A different commit does not match."""
    expected = _reference(tmp_path, "maker/Model", source=CorpusSource(dataset="wikitext-2@abc"))
    assert find_reference(tmp_path, _request("Model", corpus=CorpusSource(dataset="wikitext-2"))) == expected
    assert find_reference(tmp_path, _request("Model", corpus=CorpusSource(dataset="wikitext-2@def"))) is None


def test_an_ambiguous_name_is_reported(tmp_path: Path) -> None:
    first = _reference(tmp_path, "maker/Model")
    _reference(tmp_path, "other/Model", weights="v")
    with pytest.raises(ModelNotFound, match="maker/Model, other/Model"):
        find_reference(tmp_path, _request("Model"))
    assert find_reference(tmp_path, _request("maker/Model")) == first
