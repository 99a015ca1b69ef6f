"""Tests of the library of models on this Mac."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.domain.conversation import MessageState
from app.viewmodels.library.library import ModelLibrary, ModelRole, format_detail
from mlx_engine.engine.values.state import Ready, Stopped
from mlx_engine.models.description.describe import ModelDescription
from mlx_engine.models.library.locations import Root
from tests.app.fake_models import make_model
from tests.app.viewmodels.facet import MODEL, OTHER, TIMEOUT_MS, Facet
from tests.scripted_worker import Script


@pytest.fixture
def watched(facet: Facet) -> Facet:
    facet.tester = QAbstractItemModelTester(facet.library, QAbstractItemModelTester.FailureReportingMode.Fatal)
    return facet


def values(library: ModelLibrary, role: ModelRole = ModelRole.NAME) -> list[object]:
    return [library.index(row, 0).data(role) for row in range(library.rowCount())]


def test_each_model_is_a_row(watched: Facet) -> None:
    """A row has the name, id, details and state."""
    assert values(watched.library) == ["Alpha", "Beta"]
    assert values(watched.library, ModelRole.ID) == [MODEL, OTHER]
    assert values(watched.library, ModelRole.DETAIL) == ["bf16 · 4.1k · 8 KB"] * 2
    assert values(watched.library, ModelRole.STATE) == [Stopped()] * 2
    assert watched.library.description(MODEL).context_length == 4096
    assert watched.library.description("maker/Missing") is None


def test_a_refresh_changes_single_rows(qtbot: QtBot, watched: Facet) -> None:
    """Added, removed and broken models change only their rows; the model is not reset."""
    make_model(watched.models, "owner/Aardvark")
    make_model(watched.models, "owner/Zebra")
    shutil.rmtree(watched.models / MODEL)
    (watched.models / OTHER / "config.json").unlink()
    with qtbot.assertNotEmitted(watched.library.modelReset):
        watched.ready(qtbot)
    assert values(watched.library) == ["Aardvark", "Beta", "Zebra"]
    assert "config.json" in values(watched.library, ModelRole.BROKEN)[1]
    assert watched.library.description(OTHER) is None
    assert watched.library.row_of(OTHER) == 1


def test_consecutive_changes_are_one_signal(qtbot: QtBot, watched: Facet) -> None:
    """A disk with thousands of models must not block the window with thousands of changes."""
    changes: list[tuple[int, int]] = []
    for signal in (watched.library.rowsInserted, watched.library.rowsRemoved):
        signal.connect(lambda _, first, last: changes.append((first, last)))
    for number in range(20):
        make_model(watched.models, f"owner/Almost-{number:02}")
    watched.ready(qtbot)
    for number in range(5, 20):
        shutil.rmtree(watched.models / f"owner/Almost-{number:02}")
    watched.ready(qtbot)
    assert changes == [(0, 19), (5, 19)]


def test_models_in_other_folders_are_included(qtbot: QtBot, watched: Facet, tmp_path: Path) -> None:
    """A folder can appear and disappear with its models, as on an external disk; descriptions are cached."""
    disk = tmp_path / "disk"
    library = ModelLibrary(
        watched.models,
        watched.bridge,
        watched,
        other_roots=lambda: [Root("added", disk)],
        cache_file=tmp_path / "cache/library.json",
    )
    for names in (["Alpha", "Beta"], ["Alpha", "Beta", "Far"], ["Alpha", "Beta"]):
        with qtbot.waitSignal(library.refreshed, timeout=TIMEOUT_MS):
            library.refresh()
        assert values(library) == names
        if "Far" in names:
            shutil.rmtree(disk)
        else:
            make_model(disk, "maker/Far")
    assert (tmp_path / "cache/library.json").exists()


def test_an_unsupported_model_is_listed_but_not_usable(qtbot: QtBot, watched: Facet) -> None:
    """Its row says why it cannot run."""
    config = watched.models / OTHER / "config.json"
    config.write_text(config.read_text().replace("llama", "unheard-of"))
    watched.ready(qtbot)
    assert "unheard-of" in values(watched.library, ModelRole.BROKEN)[1]
    assert [model.id for model in watched.library.usable()] == [MODEL]
    assert watched.library.description(OTHER) is None


def test_a_change_during_a_scan_is_not_missed(qtbot: QtBot, watched: Facet) -> None:
    """A refresh during a scan starts another scan."""
    watched.library.refresh()
    make_model(watched.models, "owner/Late")
    watched.library.refresh()
    qtbot.waitUntil(lambda: "Late" in values(watched.library), timeout=TIMEOUT_MS)


def test_a_missing_folder_is_an_empty_library(qtbot: QtBot, watched: Facet) -> None:
    """The first start has no models."""
    shutil.rmtree(watched.models)
    watched.ready(qtbot)
    assert (watched.library.rowCount(), watched.chat.model, watched.chat.can_send) == (0, "", False)


@pytest.mark.process
def test_a_loaded_model_is_unloaded_when_its_folder_is_deleted(qtbot: QtBot, watched: Facet) -> None:
    """It no longer has a row from which it could be unloaded."""
    path = watched.models / MODEL
    watched.library.load(MODEL)
    qtbot.waitUntil(lambda: isinstance(watched.bridge.state(path), Ready), timeout=TIMEOUT_MS)
    shutil.rmtree(path)
    watched.ready(qtbot)
    assert values(watched.library, ModelRole.ID) == [OTHER]
    assert watched.bridge.state(path) == Stopped()


@pytest.mark.process
def test_an_answer_is_completed_after_the_folder_of_its_model_is_deleted(
    qtbot: QtBot, start: Callable[[Script], Facet], tmp_path: Path
) -> None:
    """The model is unloaded after the answer."""
    gone = tmp_path / "gone"
    facet = start(Script(tokens=60, waits={"30": str(gone)})).ready(qtbot)
    facet.chat.set_model(MODEL)
    facet.chat.send("Do whales sing?")
    qtbot.waitUntil(lambda: facet.chat.throughput.phase == "answering", timeout=TIMEOUT_MS)
    shutil.rmtree(facet.models / MODEL)
    facet.library.refresh()
    qtbot.waitUntil(lambda: facet.library.row_of(MODEL) < 0, timeout=TIMEOUT_MS)
    gone.touch()
    assert facet.answered(qtbot).state == MessageState.COMPLETE
    qtbot.waitUntil(lambda: facet.bridge.state(facet.models / MODEL) == Stopped(), timeout=TIMEOUT_MS)


@pytest.mark.process
def test_loading_and_unloading_change_the_row(qtbot: QtBot, watched: Facet) -> None:
    """Only the row of the model changes."""
    changes = []
    watched.library.dataChanged.connect(lambda first, last, roles: changes.append((first.row(), roles)))
    watched.library.load(OTHER)
    qtbot.waitUntil(lambda: isinstance(values(watched.library, ModelRole.STATE)[1], Ready), timeout=TIMEOUT_MS)
    watched.library.unload(OTHER)
    assert values(watched.library, ModelRole.STATE) == [Stopped()] * 2
    assert {row for row, _ in changes} == {1}


def test_loading_a_missing_model_does_nothing(watched: Facet) -> None:
    watched.library.load("maker/Missing")
    watched.library.unload("maker/Missing")
    assert values(watched.library, ModelRole.STATE) == [Stopped()] * 2


@pytest.mark.process
def test_an_engine_that_cannot_start_is_reported(
    qtbot: QtBot, start: Callable[[Script], Facet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing program gives a message, and an answer fails with the same one."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "nothing"))
    facet = start(Script()).ready(qtbot)
    with qtbot.waitSignal(facet.library.problem) as signal:
        facet.library.load(MODEL)
    assert "Couldn't start" in signal.args[1]
    assert "Couldn't start" in facet.ask(qtbot, "Hello").error


@pytest.mark.parametrize(
    ("parameters", "size_bytes", "text"),
    [(134_515_008, 84_000_000, "135M · 84 MB"), (7_240_000_000, 4_500_000_000, "7.24B · 4.5 GB")],
)
def test_details_are_short(parameters: int, size_bytes: int, text: str) -> None:
    model = ModelDescription(
        id="o/m",
        path=Path("m"),
        name="m",
        architecture="llama",
        parameters=parameters,
        bits_per_weight=4.5,
        quantization="4-bit g32",
        size_bytes=size_bytes,
        context_length=2048,
        has_chat_template=True,
        license="",
        source="",
    )
    assert format_detail(model) == f"4-bit g32 · {text}"
