"""The run of a study with Qt signals."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.bridges.study import StudyBridge
from mlx_engine.folders import Folders
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Study

TIMEOUT_MS = 20_000
DIES = ["/bin/sh", "-c", "exit 3"]


@pytest.fixture
def study() -> Study:
    rows = (Row(label="maker/Whale", path="whale", is_original=True), Row(label="maker/Whale-4bit", path="whale-4bit"))
    return Study(plan=StudyPlan(name="Whales", original="maker/Whale", candidates=("b",), speed=None), rows=rows)


@pytest.fixture
def folders(qapp: object, tmp_path: Path) -> Folders:
    return Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")


@pytest.mark.process
def test_a_dead_process_ends_the_study_with_a_reason(folders: Folders, study: Study, qtbot: QtBot) -> None:
    """The signal arrives in the window's thread."""
    bridge = StudyBridge(folders, command=DIES)
    bridge.start(study)
    qtbot.waitUntil(lambda: bridge.step is None, timeout=TIMEOUT_MS)
    assert bridge.study
    assert bridge.study.original.has_failed("reference")


def test_a_study_that_cannot_be_saved_stops(folders: Folders, study: Study) -> None:
    """The problem is emitted with advice."""
    folders.studies.write_text("a file in place of the folder")
    bridge, events = StudyBridge(folders, command=DIES), []
    bridge.problem.connect(lambda title, message: events.append(message))
    bridge.start(study)
    assert bridge.step is None
    assert len(events) == 1
