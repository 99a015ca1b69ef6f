"""The list in the sidebar."""

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


@pytest.fixture
def tested(qtbot: QtBot, facet: Facet) -> Facet:
    """A run with two conversations, whose list Qt's own tester watches."""
    facet.tester = QAbstractItemModelTester(facet.conversations, QAbstractItemModelTester.FailureReportingMode.Fatal)
    facet.say(qtbot, "First")
    facet.chat.new()
    facet.say(qtbot, "Second")
    return facet


def values(model: ConversationListModel, role: ConversationRole = ConversationRole.TITLE) -> list[object]:
    return [model.index(row, 0).data(role) for row in range(model.rowCount())]


def test_what_is_said_appears_at_the_top(qtbot: QtBot, tested: Facet) -> None:
    """New conversations come first, and one that goes on moves up, without a reset."""
    assert values(tested.conversations) == ["Second", "First"]
    tested.chat.open(values(tested.conversations, ConversationRole.ID)[1])
    with qtbot.waitSignal(tested.conversations.rowsMoved), qtbot.assertNotEmitted(tested.conversations.modelReset):
        tested.say(qtbot, "More")
    assert values(tested.conversations) == ["First", "Second"]
    assert values(tested.conversations) == [one.title for one in tested.store.conversations()]


def test_a_row_says_which_model_and_how_long_ago(qtbot: QtBot, tested: Facet) -> None:
    """The second line of the row follows a change of the model."""
    assert values(tested.conversations, ConversationRole.SUBTITLE) == ["Alpha · now"] * 2
    assert values(tested.conversations, ConversationRole.SECTION) == ["Today"] * 2
    tested.chat.set_model(OTHER)
    assert values(tested.conversations, ConversationRole.SUBTITLE)[0] == "Beta · now"


def test_ages_are_read_again_when_asked_for(qtbot: QtBot, tested: Facet) -> None:
    """No clock runs for them: the window asks when it comes to the front."""
    with qtbot.waitSignal(tested.conversations.dataChanged) as told:
        tested.conversations.refresh_times()
    assert [told.args[0].row(), told.args[1].row()] == [0, 1]


def test_renaming_is_stored_and_lasts(qtbot: QtBot, tested: Facet) -> None:
    """The title of the open chat follows, and its next message does not bring the old one back."""
    tested.conversations.rename(tested.chat.conversation.id, "  Songs \n of whales ")
    assert tested.chat.title == "Songs of whales"
    tested.say(qtbot, "More")
    assert values(tested.conversations)[0] == tested.store.conversations()[0].title == "Songs of whales"
    tested.conversations.rename(values(tested.conversations, ConversationRole.ID)[1], "Older")
    assert (values(tested.conversations)[1], tested.chat.title) == ("Older", "Songs of whales")


def test_a_blank_title_is_refused(tested: Facet) -> None:
    """There is always something to click on."""
    tested.conversations.rename(tested.chat.conversation.id, "  ")
    tested.conversations.rename("nobody", "Title")
    assert values(tested.conversations) == ["Second", "First"]


def test_deleting_the_open_conversation_opens_a_new_one(qtbot: QtBot, tested: Facet) -> None:
    """It can be brought back, with all that was said, to its old place."""
    begun = tested.chat.conversation.id
    with qtbot.waitSignal(tested.conversations.deleted) as told:
        tested.conversations.delete(begun)
    assert told.args == [begun, "Second"]
    assert (tested.chat.conversation, tested.chat.items) == (None, [])
    assert values(tested.conversations) == ["First"]
    tested.conversations.restore(begun)
    assert values(tested.conversations) == ["Second", "First"]
    tested.chat.open(begun)
    assert tested.path == ["Second", "Whales sing."]


def test_deleting_another_conversation_leaves_the_open_one(tested: Facet) -> None:
    """And deleting what is not there does nothing."""
    tested.conversations.delete(values(tested.conversations, ConversationRole.ID)[1])
    tested.conversations.delete("nobody")
    assert tested.chat.title == "Second"
    assert values(tested.conversations) == ["Second"]


def test_deleting_while_it_is_answered_stops_the_answer(qtbot: QtBot, start: Start) -> None:
    """The engine is free for the next one, and what came back would be there as stopped."""
    facet = start(Script(answer=" word", tokens=5000, rate=100)).ready(qtbot)
    facet.chat.send("Go on.")
    begun = facet.chat.conversation.id
    qtbot.waitUntil(lambda: len(facet.streamed) > 2, timeout=TIMEOUT_MS)
    facet.conversations.delete(begun)
    assert (facet.chat.busy, facet.chat.answering) == (False, frozenset())
    assert facet.store.conversations() == []
    facet.chat.send("Next")
    before = len(facet.streamed)
    qtbot.waitUntil(lambda: len(facet.streamed) > before + 2, timeout=TIMEOUT_MS)
    assert {message for message, *_ in facet.streamed[before:]} == {facet.last.id}
    facet.conversations.restore(begun)
    assert facet.store.messages(begun)[1].state == MessageState.STOPPED


def test_a_row_tells_that_it_is_being_answered(qtbot: QtBot, start: Start) -> None:
    """Also when another conversation is on the screen."""
    facet = start(Script(answer=" word", tokens=60, rate=100)).ready(qtbot)
    facet.chat.send("Go on.")
    facet.chat.new()
    assert values(facet.conversations, ConversationRole.ANSWERING) == [True]
    qtbot.waitUntil(lambda: values(facet.conversations, ConversationRole.ANSWERING) == [False], timeout=TIMEOUT_MS)


def test_the_list_is_there_at_the_start(qtbot: QtBot, start: Start, facet: Facet) -> None:
    """What was stored before is shown in its order."""
    facet.store.save(conversation("old", "Old", updated=1.0))
    facet.store.save(conversation("new", "New", updated=2.0))
    assert values(start(Script()).conversations) == ["New", "Old"]
