"""Tests of segmented controls."""

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.views.kit.segmented_control import SegmentedControl
from app.views.kit.theme import Theme


def test_the_arrow_keys_skip_disabled_segments(theme: Theme, qtbot: QtBot) -> None:
    control = SegmentedControl(theme, "Text", ["Prose", "Chats", "File"])
    qtbot.addWidget(control)
    with qtbot.waitActive(control):
        control.show()
    control.segments[0].setFocus()
    control.segments[1].setEnabled(False)
    qtbot.keyClick(control.segments[0], Qt.Key.Key_Right)
    assert control.segments[2].isChecked()
    qtbot.keyClick(control.segments[2], Qt.Key.Key_Right)
    assert control.segments[0].isChecked()


def test_a_new_title_is_also_the_accessible_name(theme: Theme, qtbot: QtBot) -> None:
    control = SegmentedControl(theme, "Text", ["Prose", "Chats"])
    qtbot.addWidget(control)
    control.set_title(1, "Chats (3)")
    assert control.segments[1].text() == "Chats (3)"
    assert control.segments[1].accessibleName() == "Text: Chats (3)"
