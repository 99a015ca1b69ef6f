"""What is read of one model, and that the folders are watched."""

import shutil
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.chat.model_use import ModelUse
from app.viewmodels.library.inspection import ModelInspector, facts, inspect, origin
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


def test_a_folder_is_read_aside(facet: Facet, inspector: ModelInspector, qtbot: QtBot) -> None:
    """Files, the largest first, the bits of each matrix, and what the folder says of itself."""
    model = facet.library.description(MODEL)
    provenance.write(model.path, provenance.Provenance(recipe="As it was.", created="2026-11-20T10:00:00+00:00"))
    inspector.inspect(model)
    qtbot.waitUntil(lambda: inspector.inspection is not None, timeout=TIMEOUT_MS)
    found = inspector.inspection
    assert found.files[0][0] == "model.safetensors"
    assert [layer.bits for layer in found.layers] == [{"model.embed_tokens": 16}]
    assert origin(found.note) == [("Recipe", "As it was."), ("Made", "2026-11-20")]


def test_the_last_model_asked_for_is_the_one_that_is_told(
    facet: Facet, inspector: ModelInspector, qtbot: QtBot
) -> None:
    """Going down a list quickly never shows the files of one below the name of another."""
    inspector.inspect(facet.library.description(MODEL))
    inspector.inspect(facet.library.description(OTHER))
    qtbot.waitUntil(lambda: inspector.inspection is not None, timeout=TIMEOUT_MS)
    assert inspector.inspection.id == OTHER


def test_a_folder_that_is_gone_has_no_files(facet: Facet, tmp_path: Path) -> None:
    """It may go while the window is open; the next scan takes the row away."""
    model = facet.library.description(MODEL)
    shutil.rmtree(model.path)
    found = inspect(model, folders_in(tmp_path))
    assert (found.files, found.layers) == ([], ())


def test_what_does_not_fit_says_what_would(facet: Facet) -> None:
    """The sum stands with the verdict, and a smaller context as the way out."""
    model = facet.library.description(MODEL)
    said = dict(facts(model, MemoryFit(mac(16 * 2**30, "")).of(model)))
    assert said["Memory"].startswith("Fits.")
    assert "GB" in said["Memory"]
    assert said["Context"] == "4,096 tokens"
    assert "Source" not in said


def test_a_model_that_appears_on_the_disk_shows_by_itself(facet: Facet, qtbot: QtBot) -> None:
    """Also below an owner who had none, and when one goes."""
    watch = LibraryWatch(facet.library, facet)
    for add in ("owner/New", "newcomer/First"):
        make_model(facet.models, add)
        qtbot.waitUntil(lambda add=add: facet.library.row_of(add) >= 0, timeout=TIMEOUT_MS)
    shutil.rmtree(facet.models / MODEL)
    qtbot.waitUntil(lambda: facet.library.row_of(MODEL) < 0, timeout=TIMEOUT_MS)
    assert watch.parent() is facet


@pytest.mark.process
def test_the_last_use_is_that_of_the_newest_chat(facet: Facet, qtbot: QtBot) -> None:
    """It is known from the conversations, and follows them."""
    facet.chat.set_model(OTHER)
    facet.say(qtbot, "Hello")
    use = ModelUse(facet.store, facet.chat)
    before = use.last_used[OTHER]
    assert MODEL not in use.last_used
    facet.say(qtbot, "Hello again")
    assert use.last_used[OTHER] > before


def test_what_a_conversion_lost_stands_with_its_origin() -> None:
    """Every note that it wrote, in a line of its own."""
    lost = ("vision_tower is left out.", "The source was quantized already.")
    assert origin(provenance.Provenance(recipe="Converted.", notes=lost)) == [
        ("Recipe", "Converted."),
        ("Note", lost[0]),
        ("Note", lost[1]),
    ]
