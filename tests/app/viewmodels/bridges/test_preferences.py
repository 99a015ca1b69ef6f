"""The settings with Qt signals."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.domain.settings import Settings
from app.viewmodels.bridges.preferences import Preferences
from mlx_engine.errors import InvalidParameter
from mlx_engine.sampling import Sampling


@pytest.fixture
def preferences(qapp: object, tmp_path: Path) -> Preferences:
    return Preferences(tmp_path / "settings.json")


def test_a_change_is_emitted_and_written(qtbot: QtBot, preferences: Preferences, tmp_path: Path) -> None:
    """The next start has the new value."""
    with qtbot.waitSignal(preferences.changed) as emitted:
        preferences.set("text_size", 120)
    assert emitted.args == ["text_size"]
    assert Preferences(tmp_path / "settings.json").get("text_size") == 120


def test_setting_the_same_value_does_nothing(qtbot: QtBot, preferences: Preferences, tmp_path: Path) -> None:
    """No signal, and no write."""
    with qtbot.assertNotEmitted(preferences.changed):
        preferences.set("text_size", 100)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("text_size", 900, "Text size is 900; it must be a whole number from 80 to 200 %."),
        ("text_size", "big", "Text size is 'big'; it must be a whole number from 80 to 200 %."),
        ("appearance", "pink", "Appearance is 'pink'; it must be one of system, light, dark."),
        ("sampling", Sampling(temperature=9), "temperature is 9; it must be from 0 to 2."),
        ("sidebar_visible", "yes", "Sidebar visible is 'yes'; it must be on or off."),
    ],
)
def test_a_value_out_of_range_is_refused(preferences: Preferences, name: str, value: object, sentence: str) -> None:
    """The message has the value and the valid range."""
    with pytest.raises(InvalidParameter) as caught:
        preferences.set(name, value)
    assert caught.value.message == sentence
    assert preferences.settings == Settings()


def test_a_reset_keeps_settings_outside_the_dialog(preferences: Preferences) -> None:
    """The last chosen model is not in the dialog."""
    preferences.set("last_model", "owner/A")
    preferences.set("system_prompt", "Rhyme.")
    preferences.set("sampling", Sampling(seed=1))
    preferences.reset()
    assert preferences.settings == Settings(last_model="owner/A")


def test_a_failed_write_is_reported_and_the_change_lasts(
    qtbot: QtBot, preferences: Preferences, tmp_path: Path
) -> None:
    """Dark mode stays on until Facet quits, and the user is warned."""
    (tmp_path / "settings.json" / "occupied").mkdir(parents=True)
    with qtbot.waitSignal(preferences.problem) as emitted:
        preferences.set("appearance", "dark")
    assert "Couldn't save" in emitted.args[1]
    assert preferences.get("appearance") == "dark"


def test_a_damaged_file_is_reported(qapp: object, tmp_path: Path) -> None:
    """The notice reaches the window."""
    (tmp_path / "settings.json").write_text("{ half")
    assert "settings.damaged.json" in Preferences(tmp_path / "settings.json").notice
