"""Tests of conversations and the tree of messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.conversation import TITLE_LENGTH, Message, MessageState, MessageTree, prompt, title_from
from mlx_engine.protocol import ChatMessage, new_id


def message(id: str, parent: str | None = None, text: str = "") -> Message:
    return Message(id=id, parent=parent, role="user", text=text, created=0.0)


@pytest.fixture
def tree() -> MessageTree:
    """Question q with the answers a1, a2 (and below a1 a second question), and an edited question q'."""
    return MessageTree(
        [message("q"), message("a1", "q"), message("a2", "q"), message("r", "a1"), message("b", "r"), message("q'")]
    )


def test_the_path_leads_from_the_root_to_the_leaf(tree: MessageTree) -> None:
    """The visible messages are one path through the tree."""
    assert [message.id for message in tree.path("b")] == ["q", "a1", "r", "b"]
    assert tree.path(None) == []


def test_versions_of_a_message_are_siblings_in_order(tree: MessageTree) -> None:
    """Regenerated answers share their question, edited first questions share the root."""
    assert tree.siblings("a2") == ["a1", "a2"]
    assert tree.siblings("q") == ["q", "q'"]


def test_switching_shows_the_newest_messages_below_the_other_version(tree: MessageTree) -> None:
    """An older answer comes back with the messages after it."""
    assert tree.switch("a2", -1) == "b"
    assert tree.switch("a1", 1) == "a2"


def test_switching_past_the_ends_stays_at_the_end(tree: MessageTree) -> None:
    """The first version has no previous one."""
    assert tree.switch("a1", -3) == "b"
    assert tree.switch("a2", 5) == "a2"


def test_the_newest_leaf_of_the_whole_tree_is_below_the_newest_root(tree: MessageTree) -> None:
    """A conversation without a valid leaf opens at its newest message."""
    assert tree.newest_leaf() == "q'"
    assert MessageTree().newest_leaf() is None


def test_a_message_without_its_parent_is_rejected(tree: MessageTree) -> None:
    """Parent and id are checked."""
    with pytest.raises(ValueError, match="parent"):
        tree.add(message("x", "nowhere"))
    with pytest.raises(ValueError, match="already"):
        tree.add(message("q"))


def test_replacing_keeps_the_position(tree: MessageTree) -> None:
    """A finished answer replaces the streaming one."""
    tree.replace(message("a1", "q", "new"))
    assert tree.path("b")[1].text == "new"
    with pytest.raises(ValueError, match="not in the tree"):
        tree.replace(message("a1", "a2"))


def test_a_very_long_conversation_has_a_path() -> None:
    """Depth is not limited by recursion."""
    ids = [str(number) for number in range(5000)]
    tree = MessageTree(message(*pair) for pair in zip(ids, [None, *ids], strict=False))
    assert len(tree.path("4999")) == 5000
    assert tree.newest_leaf() == "4999"


@given(st.text())
def test_a_title_is_one_short_line(text: str) -> None:
    """Every first message has a title that fits the sidebar."""
    title = title_from(text)
    assert len(title) <= TITLE_LENGTH + 1
    assert title.splitlines() in ([], [title])


def test_a_title_is_cut_between_words() -> None:
    """A cut title ends with a whole word and an ellipsis."""
    title = title_from("Explain\nthe second law of thermodynamics to a patient ten-year-old child")
    assert title == "Explain the second law of thermodynamics to a patient…"


def test_control_characters_have_a_fallback_title() -> None:
    """Every chat has a visible row in the sidebar."""
    assert title_from("\x07\x00") == "Untitled"


def test_the_prompt_has_the_instructions_and_the_messages() -> None:
    """The model reads earlier answers without their thinking."""
    answer = Message(id="a", parent="q", role="assistant", text="Hi.", thinking="Hm.", created=0.0)
    assert prompt([message("q", text="Hello"), answer, message("r", "a", "More")], "Be brief.") == (
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "Hello"),
        ChatMessage("assistant", "Hi."),
        ChatMessage("user", "More"),
    )


def test_a_failed_question_is_joined_with_the_next() -> None:
    """Chat templates require alternating roles, and no question may be lost."""
    failed = Message(id="f", parent="q", role="assistant", text="", state=MessageState.FAILED, created=0.0)
    assert prompt([message("q", text="Hello"), failed, message("r", "f", "Hello?")], " ") == (
        ChatMessage("user", "Hello\n\nHello?"),
    )


def test_ids_are_unique() -> None:
    """Two messages never share an id."""
    assert len({new_id() for _ in range(100)}) == 100
