"""Tests of renaming and deleting models."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.library.file_actions import ModelFileActions
from app.viewmodels.library.library import Row
from mlx_engine.models.description.describe import BrokenDescription
from tests.app.viewmodels.facet import MODEL, OTHER, TIMEOUT_MS, Facet
from tests.trash import trash

__all__ = ["trash"]


@pytest.fixture
def file_actions(facet: Facet, trash: Path) -> ModelFileActions:
    """File actions with a temporary Trash."""
    file_actions = ModelFileActions(facet.library, facet.models, facet)
    file_actions.problem.connect(lambda title, message: facet.problems.append(message))
    return file_actions


def row(facet: Facet, model_id: str) -> Row:
    return facet.library.rows[facet.library.row_of(model_id)]


def ids(facet: Facet) -> list[str]:
    return [model.id for model in facet.library.rows]


def test_a_model_is_renamed(facet: Facet, file_actions: ModelFileActions, qtbot: QtBot) -> None:
    """The folder is renamed, and the signal has the old and the new id."""
    with qtbot.waitSignal(file_actions.renamed) as signal:
        file_actions.rename(row(facet, MODEL), " Better ")
    assert signal.args == [MODEL, "owner/Better"]
    qtbot.waitUntil(lambda: ids(facet) == [OTHER, "owner/Better"], timeout=TIMEOUT_MS)
    assert facet.problems == []


@pytest.mark.parametrize("name", ["a/b", ".hidden", "x.partial", "Beta"])
def test_an_invalid_or_existing_name_is_refused(facet: Facet, file_actions: ModelFileActions, name: str) -> None:
    """The model stays in its folder."""
    file_actions.rename(row(facet, MODEL), name)
    assert len(facet.problems) == 1
    assert (facet.models / MODEL).is_dir()


@pytest.mark.parametrize("name", ["", "  ", "Alpha"])
def test_an_empty_or_unchanged_name_changes_nothing(facet: Facet, file_actions: ModelFileActions, name: str) -> None:
    file_actions.rename(row(facet, MODEL), name)
    assert facet.problems == []
    assert (facet.models / MODEL).is_dir()


def test_a_deleted_model_is_in_the_trash(
    facet: Facet, file_actions: ModelFileActions, qtbot: QtBot, trash: Path
) -> None:
    """The signal reports the disk space; an owner's empty folder is removed as well."""
    for model_id in (MODEL, OTHER):
        with qtbot.waitSignal(file_actions.deleted) as signal:
            file_actions.delete(row(facet, model_id))
        assert signal.args[1] == "Frees 8 KB when you empty the Trash."
    qtbot.waitUntil(lambda: ids(facet) == [], timeout=TIMEOUT_MS)
    assert not (facet.models / "owner").exists()
    assert {path.parent.name for path in trash.glob("*/config.json")} == {"Alpha", "Beta"}


@pytest.mark.process
def test_a_loaded_model_is_neither_deleted_nor_renamed(
    facet: Facet, file_actions: ModelFileActions, qtbot: QtBot
) -> None:
    """The message asks to unload it first; after that it is allowed."""
    facet.library.load(MODEL)
    file_actions.delete(row(facet, MODEL))
    file_actions.rename(row(facet, MODEL), "Other")
    assert ["Unload" in sentence for sentence in facet.problems] == [True, True]
    assert (facet.models / MODEL).is_dir()
    facet.library.unload(MODEL)
    assert file_actions.lock_reason(row(facet, MODEL)) == ""


def test_a_model_of_another_program_is_not_renamed(
    facet: Facet, file_actions: ModelFileActions, tmp_path: Path
) -> None:
    """Facet renames only in its own folder."""
    foreign = BrokenDescription("else/Where", tmp_path / "elsewhere/Where", "Damaged.", "added")
    foreign.path.mkdir(parents=True)
    file_actions.rename(foreign, "Other")
    assert "another app" in facet.problems[0]
    assert foreign.path.is_dir()


def test_a_damaged_model_can_be_deleted(facet: Facet, file_actions: ModelFileActions, qtbot: QtBot) -> None:
    (facet.models / MODEL / "config.json").unlink()
    facet.ready(qtbot)
    file_actions.delete(row(facet, MODEL))
    qtbot.waitUntil(lambda: ids(facet) == [OTHER], timeout=TIMEOUT_MS)
