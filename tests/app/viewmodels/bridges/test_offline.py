from pathlib import Path

import pytest

from app.viewmodels.bridges.offline import OfflineSwitch
from app.viewmodels.bridges.preferences import Preferences
from mlx_engine import network


@pytest.fixture(autouse=True)
def same_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(network.OFFLINE_VARIABLE, "0")
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def preferences(tmp_path: Path, qapp: object) -> Preferences:
    return Preferences(tmp_path / "settings.json")


def test_the_switch_persists(preferences: Preferences, tmp_path: Path) -> None:
    """It is on in this process and in the next run of the window."""
    OfflineSwitch(preferences, tmp_path).turn(on=True)
    assert network.is_offline()
    network.set_offline(False)
    assert OfflineSwitch(Preferences(tmp_path / "settings.json"), tmp_path).is_on


def test_a_run_started_offline_stays_offline(preferences: Preferences, tmp_path: Path) -> None:
    """The setting does not override the command line."""
    network.set_offline(True)
    switch = OfflineSwitch(preferences, tmp_path)
    switch.turn(on=True)
    switch.turn(on=False)
    assert switch.is_forced
    assert switch.is_on


def test_the_variable_of_huggingface_hub_forces_facet_offline(
    preferences: Preferences, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting has no effect, and closing the window restores the environment."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    switch = OfflineSwitch(preferences, tmp_path)
    switch.turn(on=False)
    assert (switch.is_on, switch.is_forced, switch.variable) == (True, True, "HF_HUB_OFFLINE")
    switch.restore()
    assert not network.is_offline()


def test_refused_connections_are_counted(preferences: Preferences, tmp_path: Path) -> None:
    switch = OfflineSwitch(preferences, tmp_path)
    assert switch.refused_count == 0
    (tmp_path / network.LOG_NAME).write_text("one\ntwo\n")
    assert switch.refused_count == 2
