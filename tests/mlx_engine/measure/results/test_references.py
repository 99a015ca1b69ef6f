"""Behaviour of keeping answers within bounds, and of finding those of an original that is gone."""

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


def _store(root: Path, name: str, *, used: float) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "chunk-00000").write_bytes(b"x" * 1000)
    os.utime(folder / "chunk-00000", (used, used))
    return folder


def _answers(root: Path, model: str, *, folder: str = "", weights: str = "w", **changed: object) -> Path:
    """Keep the answers of a model over one chunk."""
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
    store = _store(root, header.key, used=1.0)
    (store / "reference.json").write_bytes(msgspec.json.encode(header))
    return store


def _asked(model: str, **changed: object) -> RecordReference:
    return msgspec.structs.replace(RecordReference(id=model, model="", limit_tokens=8192), **changed)


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    """Until the rest is small enough."""
    for name, used in (("b", 1.0), ("a", 2.0), ("c", 3.0)):
        _store(tmp_path, name, used=used)
    trim(tmp_path, spared=(), most_bytes=2000)
    assert [kept.folder.name for kept in stored_references(tmp_path)] == ["a", "c"]


def test_what_is_needed_stays(tmp_path: Path) -> None:
    """However old and large it is; what is being measured against is needed too."""
    old, busy = _store(tmp_path, "old", used=1.0), _store(tmp_path, "busy", used=1.0)
    _store(tmp_path, "new", used=2.0)
    with in_use(busy):
        trim(tmp_path, spared={old}, most_bytes=500)
    assert [kept.folder for kept in stored_references(tmp_path)] == [busy, old]


def test_more_than_is_ever_kept_is_refused_with_the_sum(tmp_path: Path) -> None:
    """If nothing can go: before it is answered, not after."""
    old = _store(tmp_path, "old", used=1.0)
    with pytest.raises(NoSpace, match=r"would take 5\.0 GB, and Facet keeps 5 GB at most"):
        require_space(tmp_path, 4_999_999_500, spared={old})
    require_space(tmp_path, 4_999_999_500, spared=())
    assert not old.exists()


def test_answers_that_are_complete_need_no_room(tmp_path: Path) -> None:
    """They are used, however much is kept."""
    require_space(tmp_path, 0, spared={_store(tmp_path, "old", used=1.0)}, most_bytes=500)


def test_a_disk_without_room_is_told_with_the_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is answered."""
    monkeypatch.setattr(module, "free_bytes", lambda folder: 2_000_000)
    with pytest.raises(NoSpace, match="about 3 MB more, and 2 MB are free"):
        require_space(tmp_path, 3_000_000, spared=())


def test_a_damaged_store_is_listed_and_not_whole(tmp_path: Path) -> None:
    """It takes room, and can be deleted."""
    _store(tmp_path, "damaged", used=1.0)
    (kept,) = stored_references(tmp_path)
    assert (kept.header, kept.size_bytes, kept.is_whole) == (None, 1000, False)


def test_a_header_in_another_folder_is_none(tmp_path: Path) -> None:
    """Answers that were changed, or moved to where others belong, are told apart by their key."""
    (kept,) = stored_references(_answers(tmp_path, "maker/model").rename(tmp_path / "other").parent)
    assert kept.header is None


def test_a_link_is_no_store(tmp_path: Path) -> None:
    """What it points at is not Facet's to delete."""
    _store(tmp_path / "elsewhere", "photos", used=1.0)
    (tmp_path / "references").mkdir()
    (tmp_path / "references" / "link").symlink_to(tmp_path / "elsewhere" / "photos")
    trim(tmp_path / "references", spared=(), most_bytes=0)
    assert (tmp_path / "elsewhere" / "photos" / "chunk-00000").exists()


def test_answers_in_use_are_not_deleted(tmp_path: Path) -> None:
    """It is said why; afterwards they can be."""
    (kept,) = stored_references(_store(tmp_path, "a", used=1.0).parent)
    with in_use(kept.folder), pytest.raises(StorageError, match="being used"):
        delete_reference(kept)
    delete_reference(kept)
    assert not list(stored_references(tmp_path))


@pytest.mark.parametrize(
    ("kept", "asked"),
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
def test_an_original_that_is_gone_is_found_by_what_it_was_called_or_where_it_lay(
    tmp_path: Path, kept: str, asked: str
) -> None:
    """By its id, its name, or its folder."""
    store = _answers(tmp_path, kept, folder="/old/place")
    assert find_reference(tmp_path, _asked(asked)) == store


@pytest.mark.parametrize("asked", ["other/Model", "/models/other/Model", "Mode", "", "/", "."])
def test_an_original_of_another_name_is_not_found(tmp_path: Path, asked: str) -> None:
    """A model of another maker may have the same name."""
    _answers(tmp_path, "maker/Model", folder="/old/place")
    assert find_reference(tmp_path, _asked(asked)) is None


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
def test_answers_to_something_else_are_not_found(tmp_path: Path, changed: dict[str, object]) -> None:
    """Nobody gets figures on another text than he has asked for."""
    _answers(tmp_path, "maker/Model")
    assert find_reference(tmp_path, _asked("maker/Model", **changed)) is None


def test_the_text_of_a_data_set_is_found_without_its_commit(tmp_path: Path) -> None:
    """Nobody remembers that; one who asks for another gets none."""
    store = _answers(tmp_path, "maker/Model", choice=CorpusSource(dataset="wikitext-2@abc"))
    assert find_reference(tmp_path, _asked("Model", corpus=CorpusSource(dataset="wikitext-2"))) == store
    assert find_reference(tmp_path, _asked("Model", corpus=CorpusSource(dataset="wikitext-2@def"))) is None


def test_several_originals_of_a_name_are_told(tmp_path: Path) -> None:
    """Which of them is meant decides about all figures."""
    first = _answers(tmp_path, "maker/Model")
    _answers(tmp_path, "other/Model", weights="v")
    with pytest.raises(ModelNotFound, match="maker/Model, other/Model"):
        find_reference(tmp_path, _asked("Model"))
    assert find_reference(tmp_path, _asked("maker/Model")) == first
