"""Names and words of others are shown as they are, also where Qt guesses about markup."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent, QStandardItem, QStandardItemModel, QTextDocument
from PySide6.QtWidgets import QApplication, QTableView, QToolTip
from pytestqt.qtbot import QtBot

from app.views.kit.buttons import IconButton
from app.views.kit.plain_text import PlainToolTips, plain
from app.views.kit.theme import Theme

WILD = "<img src='file:///a.png'><b>Llama</b> & co.\n  second &lt; line"


def said(text: str) -> str:
    """Return what a person reads where Qt takes `text` for markup if it looks like that."""
    document = QTextDocument()
    document.setHtml(text)
    return document.toPlainText() if text.startswith("<p") else text


@pytest.mark.parametrize("text", [WILD, "Llama 3.2", "", "&lt;", "a\nb"])
def test_markup_is_read_as_text(text: str) -> None:
    """What looks like markup comes out as it was written."""
    assert said(plain(text)) == text


def test_the_name_of_a_button_is_no_markup(qtbot: QtBot, theme: Theme) -> None:
    """A button that names a model shows its name in the tool tip, not what the name would draw."""
    button = IconButton(theme, "close", f"Remove {WILD}")
    qtbot.addWidget(button)
    assert said(button.toolTip()) == f"Remove {WILD}"
    assert button.accessibleName() == f"Remove {WILD}"


def test_the_tip_of_a_cell_is_no_markup(qtbot: QtBot, qapp: QApplication) -> None:
    """A table of models shows names of others in its tool tips as they are."""
    table, item = QTableView(), QStandardItem("cell")
    qtbot.addWidget(table)
    item.setData(WILD, Qt.ItemDataRole.ToolTipRole)
    model = QStandardItemModel(table)
    model.appendRow(item)
    table.setModel(model)
    table.setItemDelegate(PlainToolTips(table))
    table.show()
    place = table.visualRect(model.index(0, 0)).center()
    where = table.viewport().mapToGlobal(place)
    qapp.sendEvent(table.viewport(), QHelpEvent(QEvent.Type.ToolTip, place, where))
    assert said(QToolTip.text()) == WILD
    QToolTip.hideText()
