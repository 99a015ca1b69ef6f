import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.views.chat.composer import Composer
from app.views.chat.message_editor import LONG_PASTE, MessageEditor
from app.views.kit.theme import Theme


@pytest.fixture
def composer(theme: Theme, qtbot: QtBot) -> Iterator[Composer]:
    """A focused composer at the bottom of a window."""
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


def test_return_submits_the_text(composer: Composer, qtbot: QtBot) -> None:
    """The text remains until the owner accepts it."""
    qtbot.keyClicks(composer.editor, "Hello")
    with qtbot.waitSignal(composer.submitted) as sent:
        qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert sent.args == ["Hello"]
    assert composer.editor.toPlainText() == "Hello"


def test_shift_return_inserts_a_line_break(composer: Composer, qtbot: QtBot) -> None:
    """The editor grows with its lines."""
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


def test_escape_stops_an_answer_and_return_does_not_send_during_it(composer: Composer, qtbot: QtBot) -> None:
    """During an answer, the user can write and stop, but not send."""
    composer.set_state(busy=True, can_send=False)
    qtbot.keyClicks(composer.editor, "next")
    with qtbot.assertNotEmitted(composer.submitted):
        qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    with qtbot.waitSignal(composer.stop_requested):
        qtbot.keyClick(composer.editor, Qt.Key.Key_Escape)


def test_the_editor_has_at_most_two_fifths_of_the_window(composer: Composer) -> None:
    """A long text scrolls, so the transcript stays visible."""
    composer.set_text("line\n" * 200)
    assert composer.editor.height() <= 0.4 * composer.window().height() + composer.editor.fontMetrics().lineSpacing()


def test_only_plain_text_is_pasted(composer: Composer) -> None:
    """Fonts and images are dropped."""
    paste(composer, "bold", html="<b style='font-size:99px'>bold</b><img src='x'>")
    assert composer.editor.toPlainText() == "bold"


def test_a_long_paste_is_a_removable_line_and_is_sent_after_the_text(composer: Composer, qtbot: QtBot) -> None:
    """The pasted text is sent completely."""
    qtbot.keyClicks(composer.editor, "Summarise:")
    paste(composer, "x" * LONG_PASTE)
    assert composer.editor.toPlainText() == "Summarise:"
    with qtbot.waitSignal(composer.submitted) as sent:
        qtbot.keyClick(composer.editor, Qt.Key.Key_Return)
    assert sent.args == ["Summarise:\n\n" + "x" * LONG_PASTE]


def test_typing_after_a_paste_of_one_megabyte_is_fast(composer: Composer, qtbot: QtBot) -> None:
    """The pasted text is not laid out with each key press."""
    paste(composer, "word " * 200_000)
    start = time.thread_time()
    qtbot.keyClicks(composer.editor, "typed after it")
    QApplication.sendPostedEvents()
    assert time.thread_time() - start < 0.5
    assert composer.editor.toPlainText() == "typed after it"


def test_each_conversation_keeps_its_draft(composer: Composer) -> None:
    """Switching conversations restores the draft, including a long paste."""
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


def test_the_draft_of_a_new_conversation_is_kept_when_it_is_stored(composer: Composer) -> None:
    """Text typed during the first answer is not lost."""
    composer.set_conversation("new")
    composer.set_text("typed meanwhile")
    composer.open_draft("new")
    assert composer.editor.toPlainText() == "typed meanwhile"


@pytest.mark.parametrize(
    ("text", "alignment"),
    [
        ("שלום", Qt.AlignmentFlag.AlignRight),
        ("مرحبا\nEnglish", Qt.AlignmentFlag.AlignRight),
        ("English שלום", Qt.AlignmentFlag.AlignLeft),
        ("", Qt.AlignmentFlag.AlignLeft),
    ],
)
def test_a_draft_has_the_direction_of_its_first_line(text: str, alignment: Qt.AlignmentFlag, qtbot: QtBot) -> None:
    editor = MessageEditor()
    qtbot.addWidget(editor)
    editor.setPlainText("שלום")
    editor.setPlainText(text)
    assert editor.document().defaultTextOption().alignment() == alignment
