"""Folders of models that a person adds, in the app's own assembly of view-models."""

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
    """The library of one run, and the folders that its settings name."""

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
    """Start runs on the same files."""

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


def test_a_folder_is_kept_in_the_settings(start: Callable[[], Run], disk: Path, qtbot: QtBot) -> None:
    """The next run finds its models without being told again."""
    run = start()
    run.folders.add(disk)
    qtbot.waitUntil(lambda: run.names == ["Gamma"], timeout=TIMEOUT_MS)
    again = start().read(qtbot)
    assert again.names == ["Gamma"]
    added = again.folders.folders[-1]
    assert (added.title, added.state, added.is_there, added.is_added) == ("llms", "1 model · 8 KB", True, True)


def test_a_disk_that_is_away_is_no_trouble(start: Callable[[], Run], disk: Path, qtbot: QtBot) -> None:
    """Its folder says so calmly, stays in the settings, and its models come back by themselves with it."""
    run = start()
    run.folders.add(disk)
    qtbot.waitUntil(lambda: run.names == ["Gamma"], timeout=TIMEOUT_MS)
    watch = LibraryWatch(run.library, run.library)
    away = disk.rename(disk.with_name("unplugged"))
    qtbot.waitUntil(lambda: run.names == [], timeout=TIMEOUT_MS)
    assert run.folders.absent == ["llms"]
    assert run.folders.folders[-1].state == "llms is not connected"
    away.rename(disk)
    qtbot.waitUntil(lambda: run.names == ["Gamma"], timeout=TIMEOUT_MS)
    assert run.folders.absent == []
    assert run.problems == []
    watch.deleteLater()


@pytest.mark.parametrize("below", ["", "maker", "maker/Gamma"])
def test_a_folder_is_not_added_twice(below: str, start: Callable[[], Run], disk: Path, qtbot: QtBot) -> None:
    """Nor one in a folder that is looked into already."""
    run = start()
    for path in (disk, disk / below):
        run.folders.add(path)
    assert f"{disk} already" in run.problems[0]
    assert run.preferences.settings.model_folders == (str(disk),)


def test_too_many_folders_are_refused(start: Callable[[], Run], tmp_path: Path) -> None:
    """With a sentence; those that are there stay."""
    run = start()
    run.preferences.set("model_folders", tuple(f"/folder {number}" for number in range(100)))
    run.folders.add(tmp_path / "one more")
    assert "Model folders" in run.problems[0]
    assert len(run.preferences.settings.model_folders) == 100


def test_a_disk_is_called_by_its_own_name(start: Callable[[], Run], tmp_path: Path, qtbot: QtBot) -> None:
    """Not by that of a folder on it; two folders of one disk are one absence."""
    run = start()
    (tmp_path / "Volumes").mkdir()
    for folder in ("models", "other/models"):
        run.folders.add(tmp_path / "Volumes" / "Passport" / folder)
    run.read(qtbot)
    assert run.folders.absent == ["Passport"]
