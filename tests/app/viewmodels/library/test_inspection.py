"""Tests of the inspection of a model, and of watching the folders."""

import shutil
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.chat.model_use import ModelUse
from app.viewmodels.library.inspection import ModelInspector, inspect_model, model_facts, origin_facts
from app.viewmodels.library.memory_fit import MemoryFit
from app.viewmodels.library.watch import LibraryWatch
from mlx_engine.folders import Folders
from mlx_engine.models.description import provenance
from mlx_engine.models.memory.machine import mac
from tests.app.fake_models import make_model
from tests.app.viewmodels.facet import MODEL, OTHER, TIMEOUT_MS, Facet


def folders_in(path: Path) -> Folders:
    return Folders(data=path, cache=path / "cache", logs=path / "logs")


@pytest.fixture
def inspector(facet: Facet, tmp_path: Path) -> ModelInspector:
    return ModelInspector(folders_in(tmp_path), facet)


def test_the_folder_is_read_in_a_thread(facet: Facet, inspector: ModelInspector, qtbot: QtBot) -> None:
    """The inspection has the files, largest first, the bits of each matrix, and the provenance."""
    model = facet.library.description(MODEL)
    provenance.write(model.path, provenance.Provenance(recipe="As it was.", created="2026-11-20T10:00:00+00:00"))
    inspector.inspect(model)
    qtbot.waitUntil(lambda: inspector.inspection is not None, timeout=TIMEOUT_MS)
    inspection = inspector.inspection
    assert inspection.files[0][0] == "model.safetensors"
    assert [layer.bits for layer in inspection.layers] == [{"model.embed_tokens": 16}]
    assert origin_facts(inspection.provenance) == [("Recipe", "As it was."), ("Converted", "2026-11-20")]


def test_the_last_requested_model_wins(facet: Facet, inspector: ModelInspector, qtbot: QtBot) -> None:
    """Moving quickly through a list never shows the files of one model under the name of another."""
    inspector.inspect(facet.library.description(MODEL))
    inspector.inspect(facet.library.description(OTHER))
    qtbot.waitUntil(lambda: inspector.inspection is not None, timeout=TIMEOUT_MS)
    assert inspector.inspection.id == OTHER


def test_a_deleted_folder_has_no_files(facet: Facet, tmp_path: Path) -> None:
    """A folder can disappear while the window is open; the next scan removes the row."""
    model = facet.library.description(MODEL)
    shutil.rmtree(model.path)
    inspection = inspect_model(model, folders_in(tmp_path))
    assert (inspection.files, inspection.layers) == ([], ())


def test_facts_include_the_memory_verdict(facet: Facet) -> None:
    model = facet.library.description(MODEL)
    facts = dict(model_facts(model, MemoryFit(mac(16 * 2**30, "")).of(model)))
    assert facts["Memory"].startswith("Fits.")
    assert "GB" in facts["Memory"]
    assert facts["Context"] == "4,096 tokens"
    assert "Source" not in facts


def test_the_library_follows_changes_on_disk(facet: Facet, qtbot: QtBot) -> None:
    """It shows a new model of a known or a new owner, and removes a deleted one."""
    watch = LibraryWatch(facet.library, facet)
    for add in ("owner/New", "newcomer/First"):
        make_model(facet.models, add)
        qtbot.waitUntil(lambda add=add: facet.library.row_of(add) >= 0, timeout=TIMEOUT_MS)
    shutil.rmtree(facet.models / MODEL)
    qtbot.waitUntil(lambda: facet.library.row_of(MODEL) < 0, timeout=TIMEOUT_MS)
    assert watch.parent() is facet


@pytest.mark.process
def test_a_model_was_last_used_in_its_newest_chat(facet: Facet, qtbot: QtBot) -> None:
    facet.chat.set_model(OTHER)
    facet.ask(qtbot, "Hello")
    use = ModelUse(facet.store, facet.chat)
    before = use.last_used[OTHER]
    assert MODEL not in use.last_used
    facet.ask(qtbot, "Hello again")
    assert use.last_used[OTHER] > before


def test_each_conversion_note_is_a_line_of_the_origin() -> None:
    notes = ("vision_tower is left out.", "The source was quantized already.")
    assert origin_facts(provenance.Provenance(recipe="Converted.", notes=notes)) == [
        ("Recipe", "Converted."),
        ("Note", notes[0]),
        ("Note", notes[1]),
    ]
