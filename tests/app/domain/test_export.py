"""Behaviour of conversations as texts for others."""

from dataclasses import replace

import msgspec

from app.domain.conversation import MessageState
from app.domain.export import answered, as_lines, as_markdown, said
from mlx_engine.protocol import ChatMessage
from tests.app.said import conversation, message

TALK = [
    message("q", text="How far is the Moon?"),
    message("old", "q", text="No idea."),
    message("new", "q", text="About **384,000 km**.", model="o/m"),
    replace(message("more", "new", text="And the Sun?"), role="user"),
]


def test_what_is_on_the_screen_is_exported() -> None:
    """Not the versions beside it; the system prompt goes first."""
    one = said(conversation(title="Far", leaf="more", system_prompt="Be brief."), TALK)
    (line,) = as_lines([one])
    assert msgspec.json.decode(line) == {
        "title": "Far",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How far is the Moon?"},
            {"role": "assistant", "content": "About **384,000 km**."},
            {"role": "user", "content": "And the Sun?"},
        ],
    }


def test_what_is_measured_on_ends_with_an_answer() -> None:
    """A question without one, and an answer that is under way, are left out; without any, the whole."""
    own = conversation(leaf="more")
    assert answered(said(own, TALK)) == (
        ChatMessage("user", "How far is the Moon?"),
        ChatMessage("assistant", "About **384,000 km**."),
    )
    streaming = message("new", "q", text="Abo", state=MessageState.STREAMING)
    assert answered(said(conversation(leaf="new"), [TALK[0], streaming])) == ()


def test_markdown_says_who_said_what() -> None:
    """What was said stands as it was written, and chats are told apart."""
    text = as_markdown([said(conversation(title="Far", leaf="new"), TALK), said(conversation(leaf=None), [])])
    assert text == "# Far\n\n**You**\n\nHow far is the Moon?\n\n**o/m**\n\nAbout **384,000 km**.\n"
    two = as_markdown([said(conversation(leaf="new"), TALK)] * 2)
    assert two.count("\n---\n") == 1
