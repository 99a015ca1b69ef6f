"""Fixtures with the app's window, in a temporary folder, with a scripted engine."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.assembly.window import Assembly
from app.views.kit.theme import Theme
from app.views.shell.main_window import MainWindow
from app.views.shell.workbench import Workbench
from mlx_engine.engine.parents import client
from mlx_engine.folders import Folders
from mlx_engine.models.memory.machine import Machine
from tests.app.fake_models import make_model
from tests.scripted_worker import Script, command
from tests.worker_pool import WorkerPool

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

TIMEOUT_MS = 20_000
AMPLE = Machine(2**34, 2**34, "for the test", has_metal=True)


@pytest.fixture(scope="session")
def worker_pool() -> Iterator[WorkerPool]:
    """Forks the scripted workers of all tests."""
    pool = WorkerPool()
    yield pool
    pool.close()


@pytest.fixture(autouse=True)
def forked_workers(worker_pool: WorkerPool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take scripted workers from the pool, which saves the start of Python."""
    monkeypatch.setattr(client, "_start", worker_pool.start)


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    """A light theme at 100%, reset after the test."""
    theme = Theme()
    theme.set_appearance("light")
    yield theme
    theme.set_appearance("system")


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """Folders with two models in the library, isolated from other programs on this computer."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
    for name in ("Alpha", "Beta"):
        make_model(tmp_path / "models", f"owner/{name}")
    return Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")


@pytest.fixture
def assemble(qtbot: QtBot, theme: Theme, folders: Folders) -> Iterator[Callable[[Script], Assembly]]:
    """Function that builds the window with a scripted engine; it is closed after the test."""
    built: list[Assembly] = []

    def assemble(script: Script, machine: Machine = AMPLE) -> Assembly:
        window = MainWindow(theme, QSettings(str(folders.data / "window.ini"), QSettings.Format.IniFormat))
        qtbot.addWidget(window)
        assembly = Assembly(window, theme, folders, command=command(script), machine=machine)
        built.append(assembly)
        window.show()
        qtbot.waitUntil(lambda: assembly.library.rowCount() > 0, timeout=TIMEOUT_MS)
        return assembly

    yield assemble
    for assembly in built:
        assembly.close()


@pytest.fixture
def assembly(assemble: Callable[[Script], Assembly]) -> Assembly:
    """The window with an engine that answers immediately."""
    return assemble(Script(answer="Whales sing."))


@pytest.fixture
def workbench(assembly: Assembly) -> Workbench:
    return assembly.workbench
