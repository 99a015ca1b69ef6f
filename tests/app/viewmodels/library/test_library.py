"""The models on this machine."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.domain.conversation import MessageState
from app.viewmodels.library.library import ModelLibrary, ModelRole, detail
from mlx_engine.engine.values.state import Ready, Stopped
from mlx_engine.models.description.describe import ModelDescription
from mlx_engine.models.library.locations import Root
from tests.app.fake_models import make_model
from tests.app.viewmodels.facet import MODEL, OTHER, TIMEOUT_MS, Facet
from tests.scripted_worker import Script


@pytest.fixture
def tested(facet: Facet) -> Facet:
    facet.tester = QAbstractItemModelTester(facet.library, QAbstractItemModelTester.FailureReportingMode.Fatal)
    return facet


def values(library: ModelLibrary, role: ModelRole = ModelRole.NAME) -> list[object]:
    return [library.index(row, 0).data(role) for row in range(library.rowCount())]


def test_each_model_is_a_row(tested: Facet) -> None:
    """With its name, what it is, and its state."""
    assert values(tested.library) == ["Alpha", "Beta"]
    assert values(tested.library, ModelRole.ID) == [MODEL, OTHER]
    assert values(tested.library, ModelRole.DETAIL) == ["bf16 · 4.1k · 8 KB"] * 2
    assert values(tested.library, ModelRole.STATE) == [Stopped()] * 2
    assert tested.library.description(MODEL).context_length == 4096
    assert tested.library.description("nobody/Nothing") is None


def test_refreshing_follows_the_folder_row_by_row(qtbot: QtBot, tested: Facet) -> None:
    """Added, removed and broken models change their rows only; a selection elsewhere survives."""
    make_model(tested.models, "owner/Aardvark")
    make_model(tested.models, "owner/Zebra")
    shutil.rmtree(tested.models / MODEL)
    (tested.models / OTHER / "config.json").unlink()
    with qtbot.assertNotEmitted(tested.library.modelReset):
        tested.ready(qtbot)
    assert values(tested.library) == ["Aardvark", "Beta", "Zebra"]
    assert "config.json" in values(tested.library, ModelRole.BROKEN)[1]
    assert tested.library.description(OTHER) is None
    assert tested.library.row_of(OTHER) == 1


def test_rows_that_come_and_go_together_are_told_together(qtbot: QtBot, tested: Facet) -> None:
    """A disk with thousands of models must not hold the window up by thousands of changes."""
    told: list[tuple[int, int]] = []
    for signal in (tested.library.rowsInserted, tested.library.rowsRemoved):
        signal.connect(lambda _, first, last: told.append((first, last)))
    for number in range(20):
        make_model(tested.models, f"owner/Almost-{number:02}")
    tested.ready(qtbot)
    for number in range(5, 20):
        shutil.rmtree(tested.models / f"owner/Almost-{number:02}")
    tested.ready(qtbot)
    assert told == [(0, 19), (5, 19)]


def test_models_of_other_programs_are_there_too(qtbot: QtBot, tested: Facet, tmp_path: Path) -> None:
    """A folder that comes and goes, as on an external disk, takes its models along; what is read is kept in a file."""
    disk = tmp_path / "disk"
    library = ModelLibrary(
        tested.models,
        tested.bridge,
        tested,
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


def test_what_cannot_be_chatted_with_is_shown_but_not_offered(qtbot: QtBot, tested: Facet) -> None:
    """Another kind of network is whole, has figures, and says why it does not run."""
    config = tested.models / OTHER / "config.json"
    config.write_text(config.read_text().replace("llama", "unheard-of"))
    tested.ready(qtbot)
    assert "unheard-of" in values(tested.library, ModelRole.BROKEN)[1]
    assert [model.id for model in tested.library.usable()] == [MODEL]
    assert tested.library.description(OTHER) is None


def test_a_change_during_a_scan_is_not_missed(qtbot: QtBot, tested: Facet) -> None:
    """A refresh that comes too early for what it is about is done once more."""
    tested.library.refresh()
    make_model(tested.models, "owner/Late")
    tested.library.refresh()
    qtbot.waitUntil(lambda: "Late" in values(tested.library), timeout=TIMEOUT_MS)


def test_a_missing_folder_is_an_empty_library(qtbot: QtBot, tested: Facet) -> None:
    """The first start has no models yet."""
    shutil.rmtree(tested.models)
    tested.ready(qtbot)
    assert (tested.library.rowCount(), tested.chat.model, tested.chat.can_send) == (0, "", False)


@pytest.mark.process
def test_a_loaded_model_whose_folder_is_gone_is_unloaded(qtbot: QtBot, tested: Facet) -> None:
    """Its memory comes back, though nobody could find its row to unload it."""
    path = tested.models / MODEL
    tested.library.load(MODEL)
    qtbot.waitUntil(lambda: isinstance(tested.bridge.state(path), Ready), timeout=TIMEOUT_MS)
    shutil.rmtree(path)
    tested.ready(qtbot)
    assert values(tested.library, ModelRole.ID) == [OTHER]
    assert tested.bridge.state(path) == Stopped()


@pytest.mark.process
def test_an_answer_outlives_the_folder_of_its_model(
    qtbot: QtBot, start: Callable[[Script], Facet], tmp_path: Path
) -> None:
    """It goes on to its end, and then the model is unloaded."""
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
def test_loading_and_unloading_show_in_the_row(qtbot: QtBot, tested: Facet) -> None:
    """The state of the row is the engine's, told as it changes."""
    told = []
    tested.library.dataChanged.connect(lambda first, last, roles: told.append((first.row(), roles)))
    tested.library.load(OTHER)
    qtbot.waitUntil(lambda: isinstance(values(tested.library, ModelRole.STATE)[1], Ready), timeout=TIMEOUT_MS)
    tested.library.unload(OTHER)
    assert values(tested.library, ModelRole.STATE) == [Stopped()] * 2
    assert {row for row, _ in told} == {1}


def test_loading_what_is_broken_or_missing_does_nothing(tested: Facet) -> None:
    """The row says why already."""
    tested.library.load("nobody/Nothing")
    tested.library.unload("nobody/Nothing")
    assert values(tested.library, ModelRole.STATE) == [Stopped()] * 2


@pytest.mark.process
def test_an_engine_that_cannot_be_started_is_told(
    qtbot: QtBot, start: Callable[[Script], Facet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that is missing is a sentence, not a traceback; a message then fails with the same one."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "nothing"))
    facet = start(Script()).ready(qtbot)
    with qtbot.waitSignal(facet.library.problem) as told:
        facet.library.load(MODEL)
    assert "Couldn't start" in told.args[1]
    assert "Couldn't start" in facet.say(qtbot, "Hello").error


@pytest.mark.parametrize(
    ("parameters", "size_bytes", "text"),
    [(134_515_008, 84_000_000, "135M · 84 MB"), (7_240_000_000, 4_500_000_000, "7.24B · 4.5 GB")],
)
def test_sizes_in_words(parameters: int, size_bytes: int, text: str) -> None:
    """Short enough for the picker."""
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
    assert detail(model) == f"4-bit g32 · {text}"
