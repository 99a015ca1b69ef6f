"""From a question to the shown answer, with the chat templates of the families in the catalog."""

import pytest

from mlx_engine.inference.prompt import Prompt, build_prompt, end_tokens, thinking_format
from mlx_engine.inference.segments import Segments
from mlx_engine.models.description.thinking import switches
from mlx_engine.protocol import ChatMessage
from tests.mlx_engine.inference.families import FAMILIES, Family

QUESTION = ChatMessage("user", "Hi")
families = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)


def _build(family: Family, *messages: ChatMessage, think: bool = True) -> Prompt:
    return build_prompt(family.tokenizer(), messages, think=think, context_length=4096)


def _rendered(family: Family, messages: tuple[ChatMessage, ...], *, think: bool) -> str:
    """Return the prompt as transformers renders it."""
    tokenizer = family.tokenizer()._tokenizer
    conversation = [
        {
            "role": message.role,
            "content": [{"type": "text", "text": message.content}] if family.has_parts else message.content,
        }
        for message in messages
    ]
    variables = switches(tokenizer.chat_template, think=think)
    return str(tokenizer.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True, **variables))


@families
def test_the_prompt_is_that_of_the_family(family: Family) -> None:
    assert _build(family, QUESTION).text == family.first


@families
def test_thinking_is_switched_off_as_the_template_does_it(family: Family) -> None:
    assert _build(family, QUESTION, think=False).text == family.quick


@families
def test_the_second_turn_contains_the_answer_without_its_thinking(family: Family) -> None:
    turns = (QUESTION, ChatMessage("assistant", family.shown.strip()), ChatMessage("user", "Why?"))
    assert _build(family, *turns).text == family.second


@families
def test_the_template_tells_if_it_opens_the_thinking(family: Family) -> None:
    """Even where the question is a part of the marker."""
    assert _build(family, QUESTION).opens_thinking is family.opens_thinking
    assert _build(family, ChatMessage("user", "hi")).opens_thinking is family.opens_thinking


@families
def test_the_turn_ends_with_the_token_that_the_template_writes(family: Family) -> None:
    tokenizer = family.tokenizer()
    assert end_tokens(tokenizer) == ({tokenizer.convert_tokens_to_ids(family.end)} if family.end else set())


@families
@pytest.mark.parametrize("is_spelled", [False, True])
def test_thinking_and_answer_are_separate(family: Family, is_spelled: bool) -> None:
    """Markers are tokens of their own, or spelled byte by byte."""
    tokenizer = family.tokenizer()
    if is_spelled and thinking_format(tokenizer).channel:
        pytest.skip("headers of channels consist of control tokens")
    tokens = tokenizer.encode(family.answer, add_special_tokens=False, split_special_tokens=is_spelled)
    segments = Segments(tokenizer, thinking_format(tokenizer), opens_thinking=family.opens_thinking, stop=())
    pieces = [piece for token in tokens for piece in segments.add(token)] + segments.finish()
    texts = {kind: "".join(text for name, text in pieces if name == kind) for kind in ("thinking", "answer")}
    assert texts == {"thinking": family.thinking, "answer": family.shown}


@families
def test_a_system_prompt_is_in_the_prompt(family: Family) -> None:
    """As a message, before the first question, or with the last one."""
    text = _build(family, ChatMessage("system", "Be brief."), QUESTION).text
    assert "Be brief." in text
    assert "Hi" in text


@families
@pytest.mark.parametrize("think", [True, False])
def test_the_prompt_is_as_transformers_renders_it(family: Family, think: bool) -> None:
    """With the switches by their names in the template, after one turn and after two."""
    for messages in ((QUESTION,), (QUESTION, ChatMessage("assistant", "Yes."), ChatMessage("user", "Why?"))):
        assert _build(family, *messages, think=think).text == _rendered(family, messages, think=think)
