"""Renaming and deleting models."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.library.file_actions import ModelKeeping
from app.viewmodels.library.library import Row
from mlx_engine.models.description.describe import BrokenDescription
from tests.app.viewmodels.facet import MODEL, OTHER, TIMEOUT_MS, Facet
from tests.trash import trash

__all__ = ["trash"]


@pytest.fixture
def keeping(facet: Facet, trash: Path) -> ModelKeeping:
    """On a trash of the test's own."""
    keeping = ModelKeeping(facet.library, facet.models, facet)
    keeping.problem.connect(lambda title, message: facet.problems.append(message))
    return keeping


def row(facet: Facet, model_id: str) -> Row:
    return facet.library.rows[facet.library.row_of(model_id)]


def ids(facet: Facet) -> list[str]:
    return [one.id for one in facet.library.rows]


def test_a_model_gets_another_name(facet: Facet, keeping: ModelKeeping, qtbot: QtBot) -> None:
    """The folder is renamed, and whoever knows the old name is told the new one."""
    with qtbot.waitSignal(keeping.renamed) as told:
        keeping.rename(row(facet, MODEL), " Better ")
    assert told.args == [MODEL, "owner/Better"]
    qtbot.waitUntil(lambda: ids(facet) == [OTHER, "owner/Better"], timeout=TIMEOUT_MS)
    assert facet.problems == []


@pytest.mark.parametrize("name", ["a/b", ".hidden", "x.partial", "Beta"])
def test_a_name_that_cannot_be_is_refused_with_a_sentence(facet: Facet, keeping: ModelKeeping, name: str) -> None:
    """Nothing leaves its folder, vanishes from the library or takes another's place."""
    keeping.rename(row(facet, MODEL), name)
    assert len(facet.problems) == 1
    assert (facet.models / MODEL).is_dir()


@pytest.mark.parametrize("name", ["", "  ", "Alpha"])
def test_the_same_name_or_none_changes_nothing(facet: Facet, keeping: ModelKeeping, name: str) -> None:
    keeping.rename(row(facet, MODEL), name)
    assert facet.problems == []
    assert (facet.models / MODEL).is_dir()


def test_a_deleted_model_is_in_the_trash(facet: Facet, keeping: ModelKeeping, qtbot: QtBot, trash: Path) -> None:
    """Whole, and what it frees is told; the folder of an owner without models goes too."""
    for model_id in (MODEL, OTHER):
        with qtbot.waitSignal(keeping.deleted) as told:
            keeping.delete(row(facet, model_id))
        assert told.args[1] == "8 KB come free when the trash is emptied."
    qtbot.waitUntil(lambda: ids(facet) == [], timeout=TIMEOUT_MS)
    assert not (facet.models / "owner").exists()
    assert {path.parent.name for path in trash.glob("*/config.json")} == {"Alpha", "Beta"}


@pytest.mark.process
def test_a_loaded_model_is_not_deleted(facet: Facet, keeping: ModelKeeping, qtbot: QtBot) -> None:
    """Nor renamed: first it must be unloaded, says the sentence; then it can be."""
    facet.library.load(MODEL)
    keeping.delete(row(facet, MODEL))
    keeping.rename(row(facet, MODEL), "Other")
    assert ["unload" in sentence for sentence in facet.problems] == [True, True]
    assert (facet.models / MODEL).is_dir()
    facet.library.unload(MODEL)
    assert keeping.why_kept(row(facet, MODEL)) == ""


def test_what_another_program_keeps_has_its_name_from_there(
    facet: Facet, keeping: ModelKeeping, tmp_path: Path
) -> None:
    """Facet does not rename outside its own folder."""
    foreign = BrokenDescription("else/Where", tmp_path / "elsewhere/Where", "Damaged.", "added")
    foreign.path.mkdir(parents=True)
    keeping.rename(foreign, "Other")
    assert "another app" in facet.problems[0]
    assert foreign.path.is_dir()


def test_a_damaged_model_can_be_deleted(facet: Facet, keeping: ModelKeeping, qtbot: QtBot) -> None:
    (facet.models / MODEL / "config.json").unlink()
    facet.ready(qtbot)
    keeping.delete(row(facet, MODEL))
    qtbot.waitUntil(lambda: ids(facet) == [OTHER], timeout=TIMEOUT_MS)
