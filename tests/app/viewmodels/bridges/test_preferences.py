"""The settings as the window sees them."""

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


def test_a_change_is_told_and_written(qtbot: QtBot, preferences: Preferences, tmp_path: Path) -> None:
    """Whoever shows the value follows it, and the next start has it."""
    with qtbot.waitSignal(preferences.changed) as told:
        preferences.set("text_size", 120)
    assert told.args == ["text_size"]
    assert Preferences(tmp_path / "settings.json").get("text_size") == 120


def test_the_same_value_is_no_change(qtbot: QtBot, preferences: Preferences, tmp_path: Path) -> None:
    """Nothing is told, nothing is written."""
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
    """The sentence names the value and what would be legal."""
    with pytest.raises(InvalidParameter) as caught:
        preferences.set(name, value)
    assert caught.value.message == sentence
    assert preferences.settings == Settings()


def test_resetting_keeps_what_is_not_in_the_dialog(preferences: Preferences) -> None:
    """The model chosen last is no preference of the dialog's."""
    preferences.set("last_model", "owner/A")
    preferences.set("system_prompt", "Rhyme.")
    preferences.set("sampling", Sampling(seed=1))
    preferences.reset()
    assert preferences.settings == Settings(last_model="owner/A")


def test_a_file_that_cannot_be_written_is_told_and_the_change_holds(
    qtbot: QtBot, preferences: Preferences, tmp_path: Path
) -> None:
    """Dark stays dark until the app ends, and the person knows that it will not last."""
    (tmp_path / "settings.json" / "occupied").mkdir(parents=True)
    with qtbot.waitSignal(preferences.problem) as told:
        preferences.set("appearance", "dark")
    assert "Couldn't save" in told.args[1]
    assert preferences.get("appearance") == "dark"


def test_a_broken_file_is_told(qapp: object, tmp_path: Path) -> None:
    """The notice of the file reaches the window."""
    (tmp_path / "settings.json").write_text("{ half")
    assert "settings.damaged.json" in Preferences(tmp_path / "settings.json").notice
