"""Tests of downloads by real job processes from the test Hub."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.hub.downloads import Downloads, Offer
from app.viewmodels.jobs.queue import Jobs
from app.views.kit.theme import Theme
from mlx_engine.engine.values.job_state import Running
from mlx_engine.hub_messages import Download
from tests.app.hub_window import HubWindow, add_variant
from tests.app.viewmodels.facet import Facet
from tests.app.viewmodels.jobs.test_queue import FakeJobBridge, conversion
from tests.hub.faults import Hold
from tests.hub.fixtures import add_model
from tests.hub.server import Hub

TIMEOUT_MS = 20_000
MODEL = "downloads/Whale-4bit"

pytestmark = pytest.mark.process


@pytest.fixture
def open_window(hub: Hub, tmp_path: Path, theme: Theme) -> Iterator[Callable[[], HubWindow]]:
    """Return a function that starts a run in the same folder, after ending the run before."""
    runs: list[HubWindow] = []

    def open_window() -> HubWindow:
        for run in runs:
            run.close()
        runs[:] = [HubWindow(tmp_path, theme)]
        return runs[0]

    yield open_window
    for run in runs:
        run.close()


def until(qtbot: QtBot, run: HubWindow, kind: str) -> None:
    qtbot.waitUntil(lambda: [item.kind for item in run.jobs.items] == [kind], timeout=TIMEOUT_MS)


def test_offers_change_during_a_download(hub: Hub, open_window: Callable[[], HubWindow], qtbot: QtBot) -> None:
    """A finished download can be cleared from the list."""
    add_model(hub, MODEL)
    run = open_window()
    assert run.downloads.offer(MODEL) == Offer("download")
    with qtbot.waitSignal(run.library.refreshed, timeout=TIMEOUT_MS):
        run.downloads.accept(MODEL)
        assert run.downloads.offer(MODEL).kind == "underway"
    until(qtbot, run, "done")
    assert run.downloads.offer(MODEL) == Offer("ready", 1.0)
    run.jobs.clear_done("publication")
    assert len(run.jobs.items) == 1
    run.jobs.clear_done("download")
    assert run.jobs.items == []


def test_conversions_do_not_change_offers(facet: Facet, qtbot: QtBot) -> None:
    """Their progress changes many times per second, and every card would look for its model."""
    bridge = FakeJobBridge()
    jobs = Jobs(bridge, facet.library)
    downloads = Downloads(jobs, facet.library)
    with qtbot.assertNotEmitted(downloads.changed):
        bridge.put(conversion(), Running(1, 2))
    with qtbot.waitSignal(downloads.changed):
        bridge.put(Download(id="d", repository=MODEL), Running(1, 2))
    assert downloads.offer(MODEL) == Offer("underway", 0.5)


def test_a_model_in_the_library_can_be_chatted_with(open_window: Callable[[], HubWindow], qtbot: QtBot) -> None:
    """Accepting the offer requests a chat with the model's id in the library."""
    run = open_window()
    with qtbot.waitSignal(run.library.refreshed, timeout=TIMEOUT_MS):
        run.install(MODEL)
    assert run.downloads.offer(MODEL).kind == "chat"
    with qtbot.waitSignal(run.downloads.chat_requested) as requested:
        run.downloads.accept(MODEL)
    assert requested.args == ["owner/Whale-4bit"]


def test_a_download_is_resumed_after_a_restart(hub: Hub, open_window: Callable[[], HubWindow], qtbot: QtBot) -> None:
    """It resumes without any action of the user."""
    add_model(hub, MODEL, megabytes=3)
    hold = Hold(2_500_000)
    hub.inject("/large/", hold)
    run = open_window()
    run.downloads.accept(MODEL)
    qtbot.waitUntil(hold.reached.is_set, timeout=TIMEOUT_MS)
    run = open_window()
    until(qtbot, run, "done")


def test_a_paused_download_stays_paused_after_a_restart(
    hub: Hub, open_window: Callable[[], HubWindow], qtbot: QtBot
) -> None:
    """It continues when the user resumes it."""
    add_model(hub, MODEL)
    hold = Hold(0)
    hub.inject("/large/", hold)
    run = open_window()
    run.downloads.accept(MODEL)
    qtbot.waitUntil(hold.reached.is_set, timeout=TIMEOUT_MS)
    run.jobs.pause(run.jobs.items[0].id)
    run = open_window()
    until(qtbot, run, "paused")
    assert run.downloads.offer(MODEL).kind == "resume"
    run.downloads.accept(MODEL)
    until(qtbot, run, "done")


def test_a_gated_model_can_be_downloaded_after_signing_in(
    hub: Hub, open_window: Callable[[], HubWindow], qtbot: QtBot
) -> None:
    """The failed download offers to sign in, and is retried afterward."""
    add_variant(hub, MODEL, gated=True)
    hub.tokens["hf_whale"] = "ada"
    hub.accepted.add(("ada", MODEL))
    run = open_window()
    run.downloads.accept(MODEL)
    until(qtbot, run, "failed")
    assert run.jobs.items[0].remedy == "sign in"
    with qtbot.waitSignal(run.account.signed_in, timeout=TIMEOUT_MS):
        run.account.sign_in("hf_whale")
    run.downloads.retry_refused()
    until(qtbot, run, "done")


def test_nothing_is_downloaded_offline(hub: Hub, open_window: Callable[[], HubWindow], qtbot: QtBot) -> None:
    """The download waits, and starts when the switch is turned off."""
    add_model(hub, MODEL)
    run = open_window()
    run.offline.turn(on=True)
    run.downloads.accept(MODEL)
    assert [item.kind for item in run.jobs.items] == ["queued"]
    assert hub.requests == []
    run.offline.turn(on=False)
    until(qtbot, run, "done")
