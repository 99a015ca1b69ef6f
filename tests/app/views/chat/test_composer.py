import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.views.chat.composer import Composer
from app.views.chat.message_editor import LONG_PASTE
from app.views.kit.theme import Theme


@pytest.fixture
def composer(theme: Theme, qtbot: QtBot) -> Iterator[Composer]:
    """A composer at the bottom of a window, with the focus."""
    window = QWidget()
    window.resize(700, 600)
    composer = Composer(theme)
    column = QVBoxLayout(window)
    column.addStretch()
    column.addWidget(composer)
    qtbot.addWidget(window)
    window.show()
    composer.set_state(busy=False, can_send=True)
    composer.editor.setFocus()
    yield composer
    window.close()


def paste(composer: Composer, text: str, html: str = "") -> None:
    data = QMimeData()
    data.setText(text)
    if html:
        data.setHtml(html)
    QApplication.clipboard().setMimeData(data)
    composer.editor.paste()


def test_return_sends_what_is_written(composer: Composer, qtbot: QtBot) -> None:
    """Return hands over the text, and leaves it to the owner whether it is taken."""
    qtbot.keyClicks(composer.editor, "Hello")
    with qtbot.waitSignal(composer.submitted) as sent:
        qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert sent.args == ["Hello"]
    assert composer.editor.toPlainText() == "Hello"


def test_shift_return_begins_a_new_line(composer: Composer, qtbot: QtBot) -> None:
    """A message can have several lines, and the editor grows with them."""
    one_line = composer.editor.height()
    with qtbot.assertNotEmitted(composer.submitted):
        qtbot.keyClicks(composer.editor, "a")
        qtbot.keyClick(composer.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
        qtbot.keyClicks(composer.editor, "b")
    assert composer.editor.toPlainText() == "a\nb"
    assert composer.editor.height() > one_line


@pytest.mark.parametrize("text", ["", "  \n "])
def test_blank_text_is_not_sent(composer: Composer, qtbot: QtBot, text: str) -> None:
    composer.set_text(text)
    with qtbot.assertNotEmitted(composer.submitted):
        qtbot.keyClick(composer.editor, Qt.Key.Key_Return)


def test_escape_stops_an_answer_and_return_does_not_send_meanwhile(composer: Composer, qtbot: QtBot) -> None:
    """While an answer streams one can write on, stop it, but not send."""
    composer.set_state(busy=True, can_send=False)
    qtbot.keyClicks(composer.editor, "next")
    with qtbot.assertNotEmitted(composer.submitted):
        qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    with qtbot.waitSignal(composer.stop_requested):
        qtbot.keyClick(composer.editor, Qt.Key.Key_Escape)


def test_the_text_is_never_higher_than_two_fifths_of_the_window(composer: Composer) -> None:
    """A long text scrolls in the editor, which leaves room for the transcript."""
    composer.set_text("line\n" * 200)
    assert composer.editor.height() <= 0.4 * composer.window().height() + composer.editor.fontMetrics().lineSpacing()


def test_only_plain_text_is_pasted(composer: Composer) -> None:
    """Neither fonts nor images come along."""
    paste(composer, "bold", html="<b style='font-size:99px'>bold</b><img src='x'>")
    assert composer.editor.toPlainText() == "bold"


def test_a_long_paste_waits_beside_the_text_and_is_sent_behind_it(composer: Composer, qtbot: QtBot) -> None:
    """What is too long to be edited is sent whole all the same."""
    qtbot.keyClicks(composer.editor, "Summarise:")
    paste(composer, "x" * LONG_PASTE)
    assert composer.editor.toPlainText() == "Summarise:"
    with qtbot.waitSignal(composer.submitted) as sent:
        qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert sent.args == ["Summarise:\n\n" + "x" * LONG_PASTE]


def test_typing_after_a_paste_of_one_megabyte_is_quick(composer: Composer, qtbot: QtBot) -> None:
    """A key press after the paste takes milliseconds: the pasted text is not laid out."""
    paste(composer, "word " * 200_000)
    start = time.perf_counter()
    qtbot.keyClicks(composer.editor, "typed after it")
    QApplication.sendPostedEvents()
    assert time.perf_counter() - start < 0.5
    assert composer.editor.toPlainText() == "typed after it"


def test_each_conversation_keeps_its_draft(composer: Composer) -> None:
    """Switching to another conversation and back brings back what was written, a long paste included."""
    composer.open_draft("one")
    composer.set_text("for one")
    paste(composer, "y" * LONG_PASTE)
    composer.open_draft("two")
    assert composer.editor.toPlainText() == ""
    composer.set_text("for two")
    composer.open_draft("one")
    assert composer.editor.toPlainText() == "for one"
    composer.open_draft("two")
    assert composer.editor.toPlainText() == "for two"


def test_the_draft_of_a_new_conversation_stays_when_it_gets_its_id(composer: Composer) -> None:
    """What is typed while the first answer streams is not lost when the conversation is stored."""
    composer.adopt("new")
    composer.set_text("typed meanwhile")
    composer.open_draft("new")
    assert composer.editor.toPlainText() == "typed meanwhile"
