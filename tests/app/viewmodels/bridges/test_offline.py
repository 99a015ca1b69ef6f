from pathlib import Path

import pytest

from app.viewmodels.bridges.offline import OfflineSwitch
from app.viewmodels.bridges.preferences import Preferences
from mlx_engine import network


@pytest.fixture(autouse=True)
def same_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(network.OFFLINE_VARIABLE, "0")


@pytest.fixture
def preferences(tmp_path: Path, qapp: object) -> Preferences:
    return Preferences(tmp_path / "settings.json")


def test_the_switch_is_kept(preferences: Preferences, tmp_path: Path) -> None:
    """Turned on, it is on in this process, and in the next run of the window too."""
    OfflineSwitch(preferences, tmp_path).turn(on=True)
    assert network.is_offline()
    network.set_offline(False)
    assert OfflineSwitch(Preferences(tmp_path / "settings.json"), tmp_path).is_on


def test_a_run_that_was_started_offline_stays_so(preferences: Preferences, tmp_path: Path) -> None:
    """The setting cannot undo what the command line asked for."""
    network.set_offline(True)
    switch = OfflineSwitch(preferences, tmp_path)
    switch.turn(on=True)
    switch.turn(on=False)
    assert switch.is_forced
    assert switch.is_on


def test_what_was_refused_is_counted(preferences: Preferences, tmp_path: Path) -> None:
    switch = OfflineSwitch(preferences, tmp_path)
    assert switch.refused == 0
    (tmp_path / network.LOG_NAME).write_text("one\ntwo\n")
    assert switch.refused == 2
