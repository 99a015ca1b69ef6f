"""Tests of the Jobs page."""

import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.viewmodels.jobs.queue import Jobs
from app.views.discover.downloads_panel import DownloadsPanel
from app.views.jobs.page import JobsPage
from app.views.kit.theme import Theme
from app.views.shell.workbench import Workbench
from mlx_engine.engine.values.job_state import Done, Failed
from mlx_engine.hub_messages import Download
from tests.app.viewmodels.jobs.test_queue import FakeJobBridge

FAILED = Failed("NoNetwork", "Couldn't reach the Hugging Face Hub", "Check the network.")


@pytest.fixture
def bridge() -> FakeJobBridge:
    return FakeJobBridge()


@pytest.fixture
def jobs(bridge: FakeJobBridge, workbench: Workbench) -> Jobs:
    return Jobs(bridge, workbench.library)


@pytest.fixture
def page(jobs: Jobs, theme: Theme, qtbot: QtBot) -> JobsPage:
    page = JobsPage(jobs, theme)
    qtbot.addWidget(page)
    page.show()
    return page


def texts(page: JobsPage | DownloadsPanel) -> list[str]:
    return [label.text() for label in page.findChildren(QLabel) if label.isVisible()]


def test_an_empty_queue_shows_a_placeholder(page: JobsPage, bridge: FakeJobBridge) -> None:
    """The placeholder comes back when the last job is removed."""
    assert "No jobs" in texts(page)
    bridge.put(Download(id="d", repository="maker/Whale"), Done("", 1))
    assert "No jobs" not in texts(page)
    assert "All done" in texts(page)
    bridge.cancel("d")
    assert "No jobs" in texts(page)


def test_a_failed_download_looks_the_same_everywhere(
    page: JobsPage, jobs: Jobs, bridge: FakeJobBridge, theme: Theme, qtbot: QtBot
) -> None:
    """The page, the panel and the sidebar agree that it failed and that nothing remains."""
    panel = DownloadsPanel(jobs, theme)
    qtbot.addWidget(panel)
    bridge.put(Download(id="d", repository="maker/Whale"), FAILED)
    panel.show()
    assert "1 failed" in texts(page)
    assert "Downloads · 1 failed" in texts(panel)
    assert jobs.summary().activity == "1 job failed"
