"""Rendering conversations with chat templates."""

from collections.abc import Callable
from typing import Any

import pytest

from mlx_engine.errors import TemplateError
from mlx_engine.inference import rendering
from mlx_engine.inference.load import Model
from mlx_engine.inference.prompt import Prompt, build_prompt
from mlx_engine.protocol import ChatMessage

OpenModel = Callable[[str], Model]
HELLO = (ChatMessage("user", "Hello"),)


def build(tokenizer: Any, *messages: ChatMessage) -> Prompt:
    return build_prompt(tokenizer, messages, think=True, context_length=2048)


def test_an_unsupported_system_message_precedes_the_first_message(opened: OpenModel) -> None:
    """Gemma's template accepts neither a system role nor two consecutive messages of the same role."""
    messages = (ChatMessage("system", "Be brief."), ChatMessage("user", "One."), ChatMessage("user", "Two."))
    assert "user\nBe brief.\n\nOne.\n\nTwo.<|im_end|>" in build(opened("gemma3").tokenizer, *messages).text


def test_a_dropped_system_message_is_not_lost(with_template: Callable[[str | None], Any]) -> None:
    """Even if the template shows only messages of the user."""
    template = "{% for m in messages %}{% if m.role == 'user' %}[{{ m.content }}]{% endif %}{% endfor %}"
    prompt = build(with_template(template), ChatMessage("system", "Be brief."), *HELLO)
    assert prompt.text == "[Be brief.\n\nHello]"


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ raise_exception('no such role') }}", "no such role"),
        ("{% if %}", "Expected an expression, got 'end of statement block'. Another version"),
        ("{{ messages.__class__.__mro__ }}", "unsafe"),
        ("{{ messages.clear() }}", "unsafe"),
        ("{{ cycler.__init__.__globals__.os.system('true') }}", "unsafe"),
        ("{% for i in range(10**12) %}{% endfor %}", "blocks ranges"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ nothing.at.all }}", "undefined"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
    ],
)
def test_a_template_that_fails_has_a_reason(
    template: str, reason: str, with_template: Callable[[str | None], Any]
) -> None:
    """Errors and attempts to leave the sandbox become one type of error."""
    with pytest.raises(TemplateError) as caught:
        build(with_template(template), *HELLO)
    assert reason in caught.value.message


def test_a_template_that_does_not_end_is_stopped(
    with_template: Callable[[str | None], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nested loops that would run for days end at the limit."""
    monkeypatch.setattr(rendering, "TEMPLATE_LIMIT_S", 0.2)
    loops = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(TemplateError, match=r"ran for more than 0\.2 seconds"):
        build(with_template(loops), *HELLO)


def test_content_is_given_as_parts_where_the_template_expects_those(
    with_template: Callable[[str | None], Any],
) -> None:
    """A text is then a list of letters without the attribute `text`, and would vanish."""
    template = "{% for m in messages %}[{% for part in m.content %}{{ part.text }}{% endfor %}]{% endfor %}"
    assert build(with_template(template), *HELLO).text == "[Hello]"


def test_content_of_the_user_alone_can_be_parts(with_template: Callable[[str | None], Any]) -> None:
    template = (
        "{% for m in messages %}{% if m.role == 'user' %}{{ m.content[0].text }}"
        "{% else %}{{ m.content }}{% endif %}|{% endfor %}"
    )
    turns = (*HELLO, ChatMessage("assistant", "Hi."), ChatMessage("user", "Why?"))
    assert build(with_template(template), *turns).text == "Hello|Hi.|Why?|"


def test_parts_are_never_printed_as_a_list(with_template: Callable[[str | None], Any]) -> None:
    """A template that shortens a text is not better served with a list of it."""
    tokenizer = with_template("{{ messages[-1].content[:4] }}")
    assert build(tokenizer, *HELLO).text == "Hell"


@pytest.mark.parametrize("template", ["{{ bos_token }}Hello?", "{{ messages[0].text }}", "{{ messages | length }}"])
def test_a_template_that_leaves_out_the_message_is_reported(
    template: str, with_template: Callable[[str | None], Any]
) -> None:
    """The model would answer something else."""
    with pytest.raises(TemplateError, match="leaves out what you wrote"):
        build(with_template(template), ChatMessage("user", "Why is the sky blue?"))


@pytest.mark.parametrize("filter_name", ["trim", "upper", "tojson", "e", "replace('\n', ' ')"])
def test_a_template_may_change_the_words(filter_name: str, with_template: Callable[[str | None], Any]) -> None:
    text = build(
        with_template(f"{{{{ messages[0].content | {filter_name} }}}}"), ChatMessage("user", 'A "b"\n<c>')
    ).text
    assert text


def test_the_answer_opens_with_what_the_template_adds_for_it(with_template: Callable[[str | None], Any]) -> None:
    """Not with what follows the words of the message, which may occur in the opening."""
    template = "{{ messages[-1].content }}{% if add_generation_prompt %}\n<think>{% endif %}"
    prompt = build(with_template(template), ChatMessage("user", "hi"))
    assert prompt.opens_thinking
    assert prompt.boundaries[0] == 0


def test_an_opening_that_every_prompt_has_is_found_behind_the_message(
    with_template: Callable[[str | None], Any],
) -> None:
    """Some templates ignore the argument that asks for it."""
    prompt = build(with_template("{{ messages[-1].content }}\n<think>"), ChatMessage("user", "hi"))
    assert prompt.opens_thinking


@pytest.mark.parametrize("content", ["hi", "0", "0 0", "think", "[", "<think>"])
def test_words_of_the_template_are_not_taken_for_those_of_the_user(
    content: str, with_template: Callable[[str | None], Any]
) -> None:
    """A template that drops a text has the same word elsewhere."""
    parts = "{% for m in messages %}[{% for part in m.content %}{{ part.text }}{% endfor %}]{% endfor %}"
    assert build(with_template(parts + "<think>0"), ChatMessage("user", content)).text == f"[{content}]<think>0"


def test_words_of_the_template_are_not_taken_for_the_system_prompt(
    with_template: Callable[[str | None], Any],
) -> None:
    template = "{% for m in messages %}{% if m.role == 'user' %}[{{ m.content }}]{% endif %}{% endfor %}<think>"
    assert build(with_template(template), ChatMessage("system", "think"), *HELLO).text == "[think\n\nHello]<think>"
