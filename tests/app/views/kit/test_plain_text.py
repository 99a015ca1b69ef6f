"""Texts from outside are shown verbatim, even where Qt guesses whether they are markup."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QHelpEvent, QStandardItem, QStandardItemModel, QTextDocument
from PySide6.QtWidgets import QApplication, QTableView, QToolTip
from pytestqt.qtbot import QtBot

from app.views.kit.buttons import IconButton
from app.views.kit.plain_text import PlainToolTips, plain
from app.views.kit.theme import Theme

WILD = "<img src='file:///a.png'><b>Llama</b> & co.\n  second &lt; line"


def visible_text(text: str) -> str:
    """Return the text that the user sees if Qt guesses whether `text` is markup."""
    document = QTextDocument()
    document.setHtml(text)
    return document.toPlainText() if text.startswith("<p") else text


@pytest.mark.parametrize("text", [WILD, "Llama 3.2", "", "&lt;", "a\nb"])
def test_markup_is_read_as_text(text: str) -> None:
    """Text that looks like markup is unchanged."""
    assert visible_text(plain(text)) == text


def test_the_name_of_a_button_is_plain_text(qtbot: QtBot, theme: Theme) -> None:
    """The tooltip of a button shows the name of a model verbatim."""
    button = IconButton(theme, "close", f"Remove {WILD}")
    qtbot.addWidget(button)
    assert visible_text(button.toolTip()) == f"Remove {WILD}"
    assert button.accessibleName() == f"Remove {WILD}"


def test_the_tooltip_of_a_cell_is_plain_text(qtbot: QtBot, qapp: QApplication) -> None:
    """The tooltips of a table show the names of models verbatim."""
    table, item = QTableView(), QStandardItem("cell")
    qtbot.addWidget(table)
    item.setData(WILD, Qt.ItemDataRole.ToolTipRole)
    model = QStandardItemModel(table)
    model.appendRow(item)
    table.setModel(model)
    table.setItemDelegate(PlainToolTips(table))
    table.show()
    center = table.visualRect(model.index(0, 0)).center()
    where = table.viewport().mapToGlobal(center)
    qapp.sendEvent(table.viewport(), QHelpEvent(QEvent.Type.ToolTip, center, where))
    assert visible_text(QToolTip.text()) == WILD
    QToolTip.hideText()
