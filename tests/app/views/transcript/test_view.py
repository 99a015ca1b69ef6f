from itertools import pairwise

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QApplication, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.domain.conversation import MessageState
from app.viewmodels.chat.chat import MessageItem
from app.views.kit.theme import Theme
from app.views.transcript import TranscriptView
from app.views.transcript.message import MessageWidget
from tests.app.views.transcript.conftest import make_item
from tests.app.views.transcript.test_answer_figures import STATISTICS

LONG = "A paragraph that fills a line of the screen.\n\n" * 12


def conversation(count: int) -> list[MessageItem]:
    return [make_item(str(n), ("user", "assistant")[n % 2], LONG) for n in range(count)]


def messages(view: TranscriptView) -> list[MessageWidget]:
    return sorted(view.findChildren(MessageWidget), key=lambda message: message.y())


def button(widget: QWidget, name: str) -> QAbstractButton:
    return next(child for child in widget.findChildren(QAbstractButton) if child.accessibleName() == name)


def is_at_end(view: TranscriptView) -> bool:
    return view.verticalScrollBar().value() == view.verticalScrollBar().maximum()


def on_screen(view: TranscriptView, message: MessageWidget) -> int:
    """Return the y coordinate of the message on the screen."""
    return message.mapTo(view.viewport(), QPoint(0, 0)).y()


def test_a_conversation_opens_at_its_end(view: TranscriptView) -> None:
    """The newest message is built at once, the oldest in an idle slice."""
    view.show_items(conversation(60))
    assert is_at_end(view)
    assert messages(view)[-1].is_ready
    assert not messages(view)[0].is_ready


def test_visible_text_keeps_its_place_while_messages_are_built(view: TranscriptView) -> None:
    """Heights of earlier messages differ from the estimate, and nothing on the screen moves."""
    view.show_items(conversation(40))
    view.verticalScrollBar().setValue(view.verticalScrollBar().value() - 900)
    visible = next(message for message in messages(view) if message.is_ready and on_screen(view, message) >= 0)
    before = on_screen(view, visible)
    view.finish()
    assert all(message.is_ready for message in messages(view))
    assert on_screen(view, visible) == before


def test_messages_do_not_overlap(view: TranscriptView) -> None:
    """After a resize, each message starts below the previous one."""
    view.show_items(conversation(20))
    view.resize(500, 500)
    view.finish()
    ordered = messages(view)
    assert all(upper.geometry().bottom() < lower.y() for upper, lower in pairwise(ordered))


def test_the_view_follows_a_streaming_answer(view: TranscriptView) -> None:
    """The end stays visible."""
    view.show_items([*conversation(4), make_item("s", "assistant", "", state=MessageState.STREAMING)])
    view.append_text("s", "answer", LONG)
    assert is_at_end(view)


def test_a_streaming_answer_does_not_scroll_a_user_who_scrolled_up(qtbot: QtBot, view: TranscriptView) -> None:
    """The visible text does not move, and a button jumps to the end."""
    view.show_items([*conversation(4), make_item("s", "assistant", LONG, state=MessageState.STREAMING)])
    view.finish()
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum() - 400)
    before = view.verticalScrollBar().value()
    view.append_text("s", "answer", LONG)
    assert view.verticalScrollBar().value() == before
    jump = button(view, "Jump to Latest")
    assert jump.isVisible()
    qtbot.mouseClick(jump, Qt.MouseButton.LeftButton)
    assert is_at_end(view)
    assert not jump.isVisible()


def test_a_users_message_scrolls_to_the_end(view: TranscriptView) -> None:
    """A user who sends a message wants to see the answer."""
    view.show_items(conversation(8))
    view.verticalScrollBar().setValue(0)
    view.add_item(make_item("new", "user", "And?"))
    assert is_at_end(view)


def test_another_branch_keeps_the_scroll_position(view: TranscriptView) -> None:
    """Messages before the branch keep their widgets and positions."""
    items = conversation(8)
    view.show_items(items)
    view.finish()
    view.verticalScrollBar().setValue(0)
    first = messages(view)[0]
    view.show_items([*items[:3], make_item("other", "assistant", "Another answer")])
    assert messages(view)[0] is first
    assert on_screen(view, first) > 0
    assert len([message for message in messages(view) if not message.isHidden()]) == 4


def test_streamed_and_finished_text_are_the_same(view: TranscriptView) -> None:
    """The finished message continues the streamed text."""
    view.show_items([make_item("q", "user", "?"), make_item("s", "assistant", "", state=MessageState.STREAMING)])
    view.append_text("s", "answer", "Some **bo")
    view.append_text("s", "answer", "ld** text")
    view.change_item(make_item("s", "assistant", "Some **bold** text.", statistics=STATISTICS))
    (text,) = messages(view)[1]._body.texts  # type: ignore[union-attr]
    assert text.toPlainText() == "Some bold text."


def test_thinking_is_open_while_it_streams_and_folds_away(qtbot: QtBot, view: TranscriptView) -> None:
    """The header shows the duration afterwards."""
    view.show_items([make_item("s", "assistant", "", state=MessageState.STREAMING)])
    view.append_text("s", "thinking", "Let me see.")
    header = button(view, "Thinking…")
    assert header.isChecked()
    view.append_text("s", "answer", "Yes.")
    qtbot.waitUntil(lambda: not header.isChecked())
    view.change_item(make_item("s", "assistant", "Yes.", thinking="Let me see.", thinking_s=4.21))
    assert header.accessibleName() == "Thought for 4.2 s"


def test_states_have_a_notice(view: TranscriptView) -> None:
    """Stopped, interrupted and failed answers have a notice."""
    view.show_items(
        [
            make_item("a", "assistant", "x", state=MessageState.STOPPED),
            make_item("b", "assistant", "x", state=MessageState.INTERRUPTED),
            make_item("c", "assistant", "", state=MessageState.FAILED, error="Not enough memory. Close other apps."),
        ]
    )
    labels = [label.text() for label in view.findChildren(QWidget) if hasattr(label, "text") and callable(label.text)]
    assert "You stopped this answer." in labels
    assert "Facet quit during this answer." in labels
    assert "Not enough memory" in labels
    assert "Close other apps." in labels


def test_try_again_regenerates_a_failed_answer(qtbot: QtBot, view: TranscriptView) -> None:
    """The request carries the id of the failed answer."""
    view.show_items([make_item("c", "assistant", "", state=MessageState.FAILED, error="Oh. No.")])
    retry = next(child for child in view.findChildren(QAbstractButton) if child.text() == "Try Again")
    with qtbot.waitSignal(view.regenerate_requested) as request:
        qtbot.mouseClick(retry, Qt.MouseButton.LeftButton)
    assert request.args == ["c"]


def test_actions_request_changes_of_their_message(qtbot: QtBot, qapp: QApplication, view: TranscriptView) -> None:
    """Copy copies the Markdown; the others emit a signal with the message id."""
    view.show_items([make_item("q", "user", "?"), make_item("a", "assistant", "**x**", branch=2, branches=3)])
    answer = messages(view)[1]
    button(answer, "Copy message").click()
    assert qapp.clipboard().text() == "**x**"
    with qtbot.waitSignal(view.regenerate_requested) as again:
        button(answer, "Regenerate answer").click()
    with qtbot.waitSignal(view.branch_requested) as branch:
        button(answer, "Previous version").click()
    assert (again.args, branch.args) == (["a"], ["a", -1])


def test_changes_are_disabled_while_busy(view: TranscriptView) -> None:
    """Edit and Regenerate wait for the running answer; Copy does not."""
    view.show_items([make_item("q", "user", "?"), make_item("a", "assistant", "x")])
    view.set_busy(True)
    assert not button(view, "Edit message").isEnabled()
    assert not button(view, "Regenerate answer").isEnabled()
    assert button(view, "Copy message").isEnabled()


def test_a_message_is_edited_in_place(qtbot: QtBot, view: TranscriptView) -> None:
    """Command-Return sends the new text."""
    view.show_items([make_item("q", "user", "before")])
    button(view, "Edit message").click()
    field = view.findChild(QPlainTextEdit)
    assert field.toPlainText() == "before"
    field.setPlainText("after")
    with qtbot.waitSignal(view.edit_requested) as edited:
        qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert edited.args == ["q", "after"]


def test_escape_cancels_an_edit(qtbot: QtBot, view: TranscriptView) -> None:
    """No edit is requested."""
    view.show_items([make_item("q", "user", "before")])
    button(view, "Edit message").click()
    with qtbot.assertNotEmitted(view.edit_requested):
        qtbot.keyClick(view.findChild(QPlainTextEdit), Qt.Key.Key_Escape)
    assert not [field for field in view.findChildren(QPlainTextEdit) if field.isVisible()]


def test_keys_scroll(qtbot: QtBot, view: TranscriptView) -> None:
    """Home, End and Page Down scroll the transcript."""
    view.show_items(conversation(8))
    view.finish()
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert view.verticalScrollBar().value() == 0
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    assert view.verticalScrollBar().value() > 0
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert is_at_end(view)


def test_one_selection_at_a_time(view: TranscriptView) -> None:
    """Selecting in one message clears the selection in another, so Copy is unambiguous."""
    view.show_items([make_item("a", "assistant", "one"), make_item("b", "assistant", "two")])
    first, second = (next(iter(message._body.texts)) for message in messages(view))  # type: ignore[union-attr]
    first.selectAll()
    second.selectAll()
    assert not first.textCursor().hasSelection()
    assert second.textCursor().hasSelection()


def test_all_messages_follow_the_theme(view: TranscriptView, theme: Theme) -> None:
    """Colors and sizes change, also of messages off the screen."""
    view.show_items(conversation(12))
    view.finish()
    height = view.widget().height()
    theme.set_appearance("dark")
    theme.set_text_size(150)
    view.finish()
    assert view.widget().height() > height * 1.2
    for message in messages(view):
        text = next(iter(message._body.texts if not message.is_from_user else message._body._text.texts))  # type: ignore[union-attr]
        color = text.document().firstBlock().charFormat().foreground().color()
        assert color == theme.palette.text


def test_every_control_has_an_accessible_name(view: TranscriptView) -> None:
    """Buttons and texts have a name for screen readers."""
    view.show_items(
        [
            make_item("q", "user", "?", branch=1, branches=2),
            make_item("a", "assistant", "x\n\n```py\ny\n```\n\n|a|\n|-|\n|b|\n", thinking="hm", statistics=STATISTICS),
            make_item("f", "assistant", "", state=MessageState.FAILED, error="Oh. No.", new_model="Other"),
        ]
    )
    view.finish()
    roles = (QAccessible.Role.Button, QAccessible.Role.CheckBox, QAccessible.Role.EditableText)
    nameless = []
    for widget in view.findChildren(QWidget):
        interface = QAccessible.queryAccessibleInterface(widget)
        if interface and interface.role() in roles and not interface.text(QAccessible.Text.Name):
            nameless.append(widget)
    assert not nameless


def test_tab_follows_the_reading_order(view: TranscriptView) -> None:
    """Even though the newest messages are built first."""
    view.show_items(conversation(20))
    view.finish()
    chain, widget = [], view.nextInFocusChain()
    while widget is not view:
        if widget.accessibleName() == "Copy message":
            chain.append(widget.mapTo(view.widget(), QPoint(0, 0)).y())
        widget = widget.nextInFocusChain()
    assert len(chain) == 20
    assert chain == sorted(chain)
