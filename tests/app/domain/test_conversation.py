"""The tree of messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.conversation import TITLE_LENGTH, Message, MessageState, MessageTree, new_id, prompt, title_from
from mlx_engine.protocol import ChatMessage


def message(id: str, parent: str | None = None, text: str = "") -> Message:
    return Message(id=id, parent=parent, role="user", text=text, created=0.0)


@pytest.fixture
def tree() -> MessageTree:
    """Question q with the answers a1, a2 (and below a1 a second question), and an edited question q'."""
    return MessageTree(
        [message("q"), message("a1", "q"), message("a2", "q"), message("r", "a1"), message("b", "r"), message("q'")]
    )


def test_the_path_runs_from_the_root_to_the_leaf(tree: MessageTree) -> None:
    """What is shown is one path through the tree."""
    assert [one.id for one in tree.path("b")] == ["q", "a1", "r", "b"]
    assert tree.path(None) == []


def test_versions_of_a_message_are_siblings_in_order(tree: MessageTree) -> None:
    """Regenerated answers share their question, edited first questions share the root."""
    assert tree.siblings("a2") == ["a1", "a2"]
    assert tree.siblings("q") == ["q", "q'"]


def test_switching_shows_the_newest_messages_below_the_other_version(tree: MessageTree) -> None:
    """Whoever goes back to an older answer finds there what was said after it."""
    assert tree.switch("a2", -1) == "b"
    assert tree.switch("a1", 1) == "a2"


def test_switching_past_the_ends_stays_at_the_end(tree: MessageTree) -> None:
    """There is nothing before the first version."""
    assert tree.switch("a1", -3) == "b"
    assert tree.switch("a2", 5) == "a2"


def test_the_newest_leaf_of_the_whole_tree_is_below_the_newest_root(tree: MessageTree) -> None:
    """A conversation whose leaf is lost opens at what was said last."""
    assert tree.newest_leaf() == "q'"
    assert MessageTree().newest_leaf() is None


def test_a_message_without_its_parent_is_refused(tree: MessageTree) -> None:
    """A tree has no loose ends."""
    with pytest.raises(ValueError, match="parent"):
        tree.add(message("x", "nowhere"))
    with pytest.raises(ValueError, match="already"):
        tree.add(message("q"))


def test_replacing_keeps_the_place(tree: MessageTree) -> None:
    """A finished answer stands where the streaming one stood."""
    tree.replace(message("a1", "q", "new"))
    assert tree.path("b")[1].text == "new"
    with pytest.raises(ValueError, match="not in the tree"):
        tree.replace(message("a1", "a2"))


def test_a_long_conversation_has_a_path() -> None:
    """Depth is not bounded by Python's recursion."""
    ids = [str(number) for number in range(5000)]
    tree = MessageTree(message(*pair) for pair in zip(ids, [None, *ids], strict=False))
    assert len(tree.path("4999")) == 5000
    assert tree.newest_leaf() == "4999"


@given(st.text())
def test_a_title_is_one_short_line(text: str) -> None:
    """Any first message gives a title that fits the sidebar."""
    title = title_from(text)
    assert len(title) <= TITLE_LENGTH + 1
    assert title.splitlines() in ([], [title])


def test_a_title_is_cut_between_words() -> None:
    """A cut title ends with a whole word and says that there is more."""
    title = title_from("Explain\nthe second law of thermodynamics to a patient ten-year-old child")
    assert title == "Explain the second law of thermodynamics to a patient…"


def test_a_text_of_control_characters_still_gives_a_title() -> None:
    """The sidebar has a line to click on for every chat."""
    assert title_from("\x07\x00") == "Untitled"


def test_the_prompt_is_what_was_said_below_the_instructions() -> None:
    """The model reads the answers, not the thoughts behind them."""
    answer = Message(id="a", parent="q", role="assistant", text="Hi.", thinking="Hm.", created=0.0)
    assert prompt([message("q", text="Hello"), answer, message("r", "a", "More")], "Be brief.") == (
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "Hello"),
        ChatMessage("assistant", "Hi."),
        ChatMessage("user", "More"),
    )


def test_a_question_that_failed_is_asked_together_with_the_next() -> None:
    """Chat templates want the speakers to take turns, and nothing that was said may be lost."""
    failed = Message(id="f", parent="q", role="assistant", text="", state=MessageState.FAILED, created=0.0)
    assert prompt([message("q", text="Hello"), failed, message("r", "f", "Hello?")], " ") == (
        ChatMessage("user", "Hello\n\nHello?"),
    )


def test_ids_do_not_repeat() -> None:
    """Two messages never share an id."""
    assert len({new_id() for _ in range(100)}) == 100
