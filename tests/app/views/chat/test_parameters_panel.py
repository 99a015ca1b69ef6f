"""Tests of the parameters panel and the settings dialog, which are built from declared fields."""

import pytest
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.domain.settings import Field, fields
from app.views.chat.parameters_panel import ParametersPanel
from app.views.kit.fields.editors import NumberEditor, TextListEditor, editor_for
from app.views.shell.settings_dialog import SettingsDialog
from app.views.shell.workbench import Workbench
from mlx_engine.sampling import Sampling


def named(parent: QWidget, kind: type, name: str) -> object:
    return next(child for child in parent.findChildren(kind) if child.accessibleName() == name)


@pytest.fixture
def panel(workbench: Workbench) -> ParametersPanel:
    workbench.toggle_parameters()
    return workbench.findChild(ParametersPanel)


@pytest.fixture
def dialog(workbench: Workbench) -> SettingsDialog:
    workbench.show_settings()
    return workbench.findChild(SettingsDialog)


@pytest.mark.parametrize("field", fields(Sampling), ids=lambda field: field.name)
def test_every_sampling_parameter_survives_its_editor(field: Field, qtbot: QtBot) -> None:
    """Editors return values unchanged, including defaults and bounds."""
    editor = editor_for(field)
    qtbot.addWidget(editor)
    values = [field.default, None if field.optional else field.default]
    if field.kind in ("integer", "number"):
        values.append(field.maximum)
    for value in values:
        editor.set_value(value)
        assert editor.value() == value


def test_numbers_stay_within_their_bounds(qtbot: QtBot) -> None:
    """Values out of bounds cannot be entered; an open bound is excluded."""
    top_p = next(field for field in fields(Sampling) if field.name == "top_p")
    editor = NumberEditor(top_p)
    qtbot.addWidget(editor)
    editor.set_value(7)
    assert editor.value() == 1
    editor.set_value(0)
    assert editor.value() > 0


def test_stop_sequences_can_have_line_breaks(qtbot: QtBot) -> None:
    r"""One sequence per line; \n is a line break."""
    editor = TextListEditor(next(field for field in fields(Sampling) if field.name == "stop"))
    qtbot.addWidget(editor)
    editor.set_value(("END", "\n\nUser:"))
    assert editor.toPlainText() == "END\n\\n\\nUser:"
    assert editor.value() == ("END", "\n\nUser:")


def test_the_panel_sets_the_parameters_of_the_conversation(workbench: Workbench, panel: ParametersPanel) -> None:
    """Changes apply to this conversation at once, and to no other."""
    named(panel, QDoubleSpinBox, "Temperature").setValue(0.3)
    named(panel, QPlainTextEdit, "System prompt").setPlainText("Be brief.")
    named(panel, QCheckBox, "Think first").click()
    assert workbench.chat.parameters.sampling.temperature == 0.3
    assert workbench.chat.parameters.system_prompt == "Be brief."
    assert not workbench.chat.parameters.think
    workbench.new_chat()
    assert workbench.chat.parameters.sampling == Sampling()
    assert named(panel, QDoubleSpinBox, "Temperature").value() == Sampling().temperature


def test_reset_applies_the_settings(workbench: Workbench, panel: ParametersPanel) -> None:
    """The defaults come from the settings, not from the declarations."""
    workbench.preferences.set("sampling", Sampling(temperature=1.5))
    named(panel, QDoubleSpinBox, "Temperature").setValue(0.3)
    next(
        button for button in panel.findChildren(QWidget) if getattr(button, "text", str)() == "Reset to Defaults"
    ).click()
    assert workbench.chat.parameters.sampling.temperature == 1.5


def test_every_setting_with_a_section_is_in_the_dialog(dialog: SettingsDialog) -> None:
    """The dialog is built from the declarations."""
    names = {child.accessibleName() for child in dialog.findChildren(QWidget)}
    declared = [field for field in fields() if field.section and field.kind != "group"]
    assert {field.label for field in (*declared, *fields(Sampling))} <= names


def test_settings_apply_at_once(workbench: Workbench, dialog: SettingsDialog) -> None:
    """The window follows while the dialog is open."""
    named(dialog, QDoubleSpinBox, "Text size").setValue(150)
    assert workbench.theme.text_size == 150
    appearance = named(dialog, QComboBox, "Appearance")
    appearance.setCurrentIndex(appearance.findData("dark"))
    appearance.activated.emit(appearance.currentIndex())
    assert workbench.theme.is_dark


def test_the_dialog_follows_changes_elsewhere(workbench: Workbench, dialog: SettingsDialog) -> None:
    """A shortcut for the text size updates the open dialog."""
    workbench.preferences.set("text_size", 120)
    assert named(dialog, QDoubleSpinBox, "Text size").value() == 120


def test_a_sampling_default_is_set_in_the_dialog(workbench: Workbench, dialog: SettingsDialog) -> None:
    """The other values of the group are unchanged."""
    named(dialog, QDoubleSpinBox, "Temperature").setValue(0.1)
    assert workbench.preferences.settings.sampling == Sampling(temperature=0.1)
