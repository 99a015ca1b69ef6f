"""Tests of model folders that the user adds, with real settings and a real library."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.viewmodels.bridges.engine import EngineBridge
from app.viewmodels.bridges.preferences import Preferences
from app.viewmodels.library.folders import ModelFolders
from app.viewmodels.library.library import ModelLibrary
from app.viewmodels.library.watch import LibraryWatch
from mlx_engine.models.library.locations import Root
from tests.app.fake_models import make_model

TIMEOUT_MS = 20_000


class Run:
    """The library of one run, with the folders in its settings."""

    def __init__(self, home: Path, qapp: QApplication) -> None:
        self.preferences = Preferences(home / "settings.json", qapp)
        self.bridge = EngineBridge(home / "logs", qapp)
        self.library = ModelLibrary(home / "models", self.bridge, qapp, other_roots=self._added)
        self.folders = ModelFolders(self.library, self.preferences, qapp)
        self.problems: list[str] = []
        self.folders.problem.connect(lambda _title, message: self.problems.append(message))

    def _added(self) -> list[Root]:
        return [Root("added", Path(folder)) for folder in self.preferences.settings.model_folders]

    @property
    def names(self) -> list[str]:
        return [row.name for row in self.library.rows]

    def read(self, qtbot: QtBot) -> "Run":
        with qtbot.waitSignal(self.library.refreshed, timeout=TIMEOUT_MS):
            self.library.refresh()
        return self

    def close(self) -> None:
        self.library.close()
        self.bridge.close()
        for part in (self.folders, self.library, self.bridge, self.preferences):
            part.deleteLater()


@pytest.fixture
def start(qapp: QApplication, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], Run]:
    """Function that starts runs on the same files."""

    def start() -> Run:
        run = Run(tmp_path, qapp)
        request.addfinalizer(run.close)
        return run

    return start


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """An external disk with a model on it."""
    make_model(tmp_path / "Volumes" / "llms", "maker/Gamma")
    return tmp_path / "Volumes" / "llms"


def test_a_folder_is_saved_in_the_settings(start: Callable[[], Run], disk: Path, qtbot: QtBot) -> None:
    """The next run finds its models."""
    run = start()
    run.folders.add(disk)
    qtbot.waitUntil(lambda: run.names == ["Gamma"], timeout=TIMEOUT_MS)
    again = start().read(qtbot)
    assert again.names == ["Gamma"]
    added = again.folders.folders[-1]
    assert (added.title, added.summary, added.is_connected, added.is_added) == ("llms", "1 model · 8 KB", True, True)


def test_a_disconnected_disk_is_not_a_problem(start: Callable[[], Run], disk: Path, qtbot: QtBot) -> None:
    """Its folder stays in the settings and says so; the models reappear with the disk."""
    run = start()
    run.folders.add(disk)
    qtbot.waitUntil(lambda: run.names == ["Gamma"], timeout=TIMEOUT_MS)
    watch = LibraryWatch(run.library, run.library)
    away = disk.rename(disk.with_name("unplugged"))
    qtbot.waitUntil(lambda: run.names == [], timeout=TIMEOUT_MS)
    assert run.folders.disconnected == ["llms"]
    assert run.folders.folders[-1].summary == "llms is not connected"
    away.rename(disk)
    qtbot.waitUntil(lambda: run.names == ["Gamma"], timeout=TIMEOUT_MS)
    assert run.folders.disconnected == []
    assert run.problems == []
    watch.deleteLater()


@pytest.mark.parametrize("below", ["", "maker", "maker/Gamma"])
def test_a_folder_is_not_added_twice(below: str, start: Callable[[], Run], disk: Path, qtbot: QtBot) -> None:
    """A subfolder of an added folder is not added either."""
    run = start()
    for path in (disk, disk / below):
        run.folders.add(path)
    assert f"already searches {disk}" in run.problems[0]
    assert run.preferences.settings.model_folders == (str(disk),)


def test_too_many_folders_are_refused(start: Callable[[], Run], tmp_path: Path) -> None:
    """The message names the setting; existing folders are kept."""
    run = start()
    run.preferences.set("model_folders", tuple(f"/folder {number}" for number in range(100)))
    run.folders.add(tmp_path / "one more")
    assert "Model folders" in run.problems[0]
    assert len(run.preferences.settings.model_folders) == 100


def test_a_disconnected_disk_has_its_own_name(start: Callable[[], Run], tmp_path: Path, qtbot: QtBot) -> None:
    """It is not named after a folder on it, and two folders on one disk count once."""
    run = start()
    (tmp_path / "Volumes").mkdir()
    for folder in ("models", "other/models"):
        run.folders.add(tmp_path / "Volumes" / "Passport" / folder)
    run.read(qtbot)
    assert run.folders.disconnected == ["Passport"]
