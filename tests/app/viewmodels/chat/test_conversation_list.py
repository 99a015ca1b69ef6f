"""Tests of the list in the sidebar."""

from collections.abc import Callable

import pytest
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.domain.conversation import MessageState
from app.viewmodels.chat.conversation_list import ConversationListModel, ConversationRole
from tests.app.conversations import conversation
from tests.app.viewmodels.facet import OTHER, TIMEOUT_MS, Facet
from tests.scripted_worker import Script

Start = Callable[[Script], Facet]

pytestmark = pytest.mark.process


@pytest.fixture
def tested(qtbot: QtBot, facet: Facet) -> Facet:
    """A run with two conversations, whose list is checked by Qt's model tester."""
    facet.tester = QAbstractItemModelTester(facet.conversations, QAbstractItemModelTester.FailureReportingMode.Fatal)
    facet.ask(qtbot, "First")
    facet.chat.new()
    facet.ask(qtbot, "Second")
    return facet


def values(model: ConversationListModel, role: ConversationRole = ConversationRole.TITLE) -> list[object]:
    return [model.index(row, 0).data(role) for row in range(model.rowCount())]


def test_a_changed_conversation_moves_to_the_top(qtbot: QtBot, tested: Facet) -> None:
    """New and continued conversations come first, without a reset of the model."""
    assert values(tested.conversations) == ["Second", "First"]
    tested.chat.open(values(tested.conversations, ConversationRole.ID)[1])
    with qtbot.waitSignal(tested.conversations.rowsMoved), qtbot.assertNotEmitted(tested.conversations.modelReset):
        tested.ask(qtbot, "More")
    assert values(tested.conversations) == ["First", "Second"]
    assert values(tested.conversations) == [conversation.title for conversation in tested.store.conversations()]


def test_a_row_has_model_and_age(qtbot: QtBot, tested: Facet) -> None:
    """The subtitle follows a change of model."""
    assert values(tested.conversations, ConversationRole.SUBTITLE) == ["Alpha · now"] * 2
    assert values(tested.conversations, ConversationRole.SECTION) == ["Today"] * 2
    tested.chat.set_model(OTHER)
    assert values(tested.conversations, ConversationRole.SUBTITLE)[0] == "Beta · now"


def test_refresh_times_updates_the_ages(qtbot: QtBot, tested: Facet) -> None:
    """There is no timer: the window calls it when it becomes active."""
    with qtbot.waitSignal(tested.conversations.dataChanged) as signal:
        tested.conversations.refresh_times()
    assert [signal.args[0].row(), signal.args[1].row()] == [0, 1]


def test_a_new_title_is_stored_and_kept(qtbot: QtBot, tested: Facet) -> None:
    """The title of the open chat follows, and its next message keeps it."""
    tested.conversations.rename(tested.chat.conversation.id, "  Songs \n of whales ")
    assert tested.chat.title == "Songs of whales"
    tested.ask(qtbot, "More")
    assert values(tested.conversations)[0] == tested.store.conversations()[0].title == "Songs of whales"
    tested.conversations.rename(values(tested.conversations, ConversationRole.ID)[1], "Older")
    assert (values(tested.conversations)[1], tested.chat.title) == ("Older", "Songs of whales")


def test_a_blank_title_is_ignored(tested: Facet) -> None:
    """Every row has a visible title."""
    tested.conversations.rename(tested.chat.conversation.id, "  ")
    tested.conversations.rename("nobody", "Title")
    assert values(tested.conversations) == ["Second", "First"]


def test_deleting_the_open_conversation_opens_a_new_one(qtbot: QtBot, tested: Facet) -> None:
    """It can be restored with all messages at its old position."""
    conversation_id = tested.chat.conversation.id
    with qtbot.waitSignal(tested.conversations.deleted) as signal:
        tested.conversations.delete(conversation_id)
    assert signal.args == [conversation_id, "Second"]
    assert (tested.chat.conversation, tested.chat.items) == (None, [])
    assert values(tested.conversations) == ["First"]
    tested.conversations.restore(conversation_id)
    assert values(tested.conversations) == ["Second", "First"]
    tested.chat.open(conversation_id)
    assert tested.path == ["Second", "Whales sing."]


def test_deleting_another_conversation_keeps_the_open_one(tested: Facet) -> None:
    """Deleting an unknown conversation does nothing."""
    tested.conversations.delete(values(tested.conversations, ConversationRole.ID)[1])
    tested.conversations.delete("nobody")
    assert tested.chat.title == "Second"
    assert values(tested.conversations) == ["Second"]


def test_deleting_stops_the_answer(qtbot: QtBot, start: Start) -> None:
    """The engine is free again, and a restored answer is marked as stopped."""
    facet = start(Script(answer=" word", tokens=5000, rate=100)).ready(qtbot)
    facet.chat.send("Go on.")
    conversation_id = facet.chat.conversation.id
    qtbot.waitUntil(lambda: len(facet.streamed) > 2, timeout=TIMEOUT_MS)
    facet.conversations.delete(conversation_id)
    assert (facet.chat.busy, facet.chat.answering) == (False, frozenset())
    assert facet.store.conversations() == []
    facet.chat.send("Next")
    before = len(facet.streamed)
    qtbot.waitUntil(lambda: len(facet.streamed) > before + 2, timeout=TIMEOUT_MS)
    assert {message for message, *_ in facet.streamed[before:]} == {facet.last.id}
    facet.conversations.restore(conversation_id)
    assert facet.store.messages(conversation_id)[1].state == MessageState.STOPPED


def test_a_row_shows_that_it_is_being_answered(qtbot: QtBot, start: Start) -> None:
    """Even when another conversation is open."""
    facet = start(Script(answer=" word", tokens=60)).ready(qtbot)
    facet.chat.send("Go on.")
    facet.chat.new()
    assert values(facet.conversations, ConversationRole.ANSWERING) == [True]
    qtbot.waitUntil(lambda: values(facet.conversations, ConversationRole.ANSWERING) == [False], timeout=TIMEOUT_MS)


def test_the_list_is_read_at_launch(qtbot: QtBot, start: Start, facet: Facet) -> None:
    """Stored conversations are shown in order."""
    facet.store.save(conversation("old", "Old", updated=1.0))
    facet.store.save(conversation("new", "New", updated=2.0))
    assert values(start(Script()).conversations) == ["New", "Old"]
