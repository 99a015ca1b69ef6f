"""Tests of exports as JSON lines and Markdown."""

from dataclasses import replace

import msgspec

from app.domain.conversation import MessageState
from app.domain.export import answered_messages, json_lines, to_markdown, visible
from mlx_engine.protocol import ChatMessage
from tests.app.conversations import conversation, message

TALK = [
    message("q", text="How far is the Moon?"),
    message("old", "q", text="No idea."),
    message("new", "q", text="About **384,000 km**.", model="o/m"),
    replace(message("more", "new", text="And the Sun?"), role="user"),
]


def test_the_visible_path_is_exported() -> None:
    """Other versions are left out; the system prompt comes first."""
    chat = visible(conversation(title="Far", leaf="more", system_prompt="Be brief."), TALK)
    (line,) = json_lines([chat])
    assert msgspec.json.decode(line) == {
        "title": "Far",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "How far is the Moon?"},
            {"role": "assistant", "content": "About **384,000 km**."},
            {"role": "user", "content": "And the Sun?"},
        ],
    }


def test_answered_messages_end_with_an_answer() -> None:
    """A question without answer and a streaming answer are left out; without answers, nothing is left."""
    chat = conversation(leaf="more")
    assert answered_messages(visible(chat, TALK)) == (
        ChatMessage("user", "How far is the Moon?"),
        ChatMessage("assistant", "About **384,000 km**."),
    )
    streaming = message("new", "q", text="Abo", state=MessageState.STREAMING)
    assert answered_messages(visible(conversation(leaf="new"), [TALK[0], streaming])) == ()


def test_markdown_names_the_authors() -> None:
    """Messages are unchanged, and a rule separates chats."""
    text = to_markdown([visible(conversation(title="Far", leaf="new"), TALK), visible(conversation(leaf=None), [])])
    assert text == "# Far\n\n**You**\n\nHow far is the Moon?\n\n**o/m**\n\nAbout **384,000 km**.\n"
    two = to_markdown([visible(conversation(leaf="new"), TALK)] * 2)
    assert two.count("\n---\n") == 1


def test_a_stopped_answer_does_not_swallow_the_next_message() -> None:
    """Its open fence is closed."""
    talk = [TALK[0], message("new", "q", text="```py\nx = 1", model="o/m", state=MessageState.STOPPED)]
    text = to_markdown([visible(conversation(leaf="new"), talk)])
    assert text.endswith("**o/m**\n\n```py\nx = 1\n```\n")
