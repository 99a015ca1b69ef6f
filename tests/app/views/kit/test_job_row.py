"""A job in the job list."""

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.jobs.items import job_item
from app.viewmodels.jobs.queue import Jobs
from app.views.kit.job_row import JobRow
from app.views.kit.theme import Theme
from app.views.shell.workbench import Workbench
from mlx_engine.engine.values.job_state import Failed, Queued
from tests.app.viewmodels.jobs.test_queue import FakeJobBridge, conversion

FAILED = Failed("EngineError", "The job stopped", "It was killed from outside.")


@pytest.fixture
def bridge() -> FakeJobBridge:
    bridge = FakeJobBridge()
    bridge.put(conversion(), FAILED)
    return bridge


@pytest.fixture
def row(bridge: FakeJobBridge, workbench: Workbench, theme: Theme, qtbot: QtBot) -> JobRow:
    (job,) = bridge.jobs
    row = JobRow(job_item(job), Jobs(bridge, workbench.library), theme)
    qtbot.addWidget(row)
    row.show()
    return row


def test_a_failed_job_shows_its_log(row: JobRow, bridge: FakeJobBridge) -> None:
    """The Log button shows and hides it."""
    bridge.tails[conversion().id] = "metal: out of memory"
    assert not row.log.isVisible()
    row.show_log.click()
    assert (row.log.isVisible(), row.log.text()) == (True, "metal: out of memory")
    row.show_log.click()
    assert not row.log.isVisible()


def test_an_empty_log_is_reported(row: JobRow) -> None:
    """The log is empty after a restart of Facet, for example."""
    row.show_log.click()
    assert "empty" in row.log.text()


def test_a_retry_hides_the_log(row: JobRow, bridge: FakeJobBridge) -> None:
    """A new attempt has its own log."""
    row.show_log.click()
    bridge.put(conversion(), Queued())
    row.show_item(job_item(bridge.jobs[0]))
    assert not row.log.isVisible()
    assert not row.show_log.isVisible()
