"""A job in its row."""

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.jobs.items import item
from app.viewmodels.jobs.queue import Jobs
from app.views.kit.job_row import JobRow
from app.views.kit.theme import Theme
from app.views.shell.workbench import Workbench
from mlx_engine.engine.values.job_state import Failed, Queued
from tests.app.viewmodels.jobs.test_queue import GivenBridge, conversion

FAILED = Failed("EngineError", "The job stopped", "It was killed from outside.")


@pytest.fixture
def bridge() -> GivenBridge:
    bridge = GivenBridge()
    bridge.put(conversion(), FAILED)
    return bridge


@pytest.fixture
def row(bridge: GivenBridge, workbench: Workbench, theme: Theme, qtbot: QtBot) -> JobRow:
    (job,) = bridge.jobs
    row = JobRow(item(job), Jobs(bridge, workbench.library), theme)
    qtbot.addWidget(row)
    row.show()
    return row


def test_a_failed_job_shows_what_its_own_process_wrote(row: JobRow, bridge: GivenBridge) -> None:
    """When it is asked for, until it is asked to hide it."""
    bridge.tails[conversion().id] = "metal: out of memory"
    assert not row.log.isVisible()
    row.show_log.click()
    assert (row.log.isVisible(), row.log.text()) == (True, "metal: out of memory")
    row.show_log.click()
    assert not row.log.isVisible()


def test_one_that_wrote_nothing_says_so(row: JobRow) -> None:
    """As after a restart of Facet."""
    row.show_log.click()
    assert "nothing" in row.log.text()


def test_the_log_goes_with_the_failure(row: JobRow, bridge: GivenBridge) -> None:
    """Another try has another log."""
    row.show_log.click()
    bridge.put(conversion(), Queued())
    row.follow(item(bridge.jobs[0]))
    assert not row.log.isVisible()
    assert not row.show_log.isVisible()
