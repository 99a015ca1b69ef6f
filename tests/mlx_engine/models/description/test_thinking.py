"""Formats of thinking, and the switches of chat templates."""

import pytest

from mlx_engine.models.description.thinking import DEFAULT, Effect, find_format, has_thinking, switches


@pytest.mark.parametrize(
    ("template", "start"),
    [
        ("{{ content.split('</think>')[-1] }}", "<think>"),
        ("<seed:think>{{ reasoning }}</seed:think>", "<seed:think>"),
        ("[THINK]{{ part }}[/THINK]", "[THINK]"),
        ("{{ '<longcat_think>' }}", "<longcat_think>"),
        ("◁think▷", "◁think▷"),
        ("<|START_THINKING|>", "<|START_THINKING|>"),
        ("Write your thoughts after 'Here is my thought process:'", "Here is my thought process:"),
        ("<thought>\n", "<thought>"),
    ],
)
def test_a_template_reveals_the_format(template: str, start: str) -> None:
    assert find_format(template).markers(Effect.THINKING) == (start,)


@pytest.mark.parametrize(
    ("tokens", "marker"),
    [
        (["<|channel|>", "<|start|>", "<|end|>", "<|message|>", "<|return|>"], "<|channel|>"),
        (["[THINK]", "[/THINK]", "<s>"], "[THINK]"),
        (["<|channel>", "<channel|>"], "<|channel>"),
    ],
)
def test_added_tokens_reveal_the_format_if_the_template_does_not(tokens: list[str], marker: str) -> None:
    assert marker in find_format("{{ messages }}", tokens).effects


def test_a_model_of_unknown_format_may_write_think() -> None:
    assert find_format("{{ messages }}", ["<s>"]) is DEFAULT


@pytest.mark.parametrize(
    ("prompt", "opens"),
    [
        ("<|im_start|>assistant\n<think>\n", True),
        ("<|im_start|>assistant\n<think>\n\n</think>\n\n", False),
        ("<|im_start|>assistant\n", False),
        ("</think>", False),
    ],
)
def test_a_prompt_can_end_in_the_thinking(prompt: str, opens: bool) -> None:
    assert DEFAULT.opens_thinking(prompt) is opens


@pytest.mark.parametrize(
    ("prompt", "opens"),
    [
        ("<|start|>assistant<|channel|>analysis<|message|>", True),
        ("<|start|>assistant<|channel|>final<|message|>", False),
        ("<|start|>assistant", False),
    ],
)
def test_a_prompt_can_end_in_a_channel(prompt: str, opens: bool) -> None:
    assert find_format("<|channel|>").opens_thinking(prompt) is opens


@pytest.mark.parametrize(
    ("template", "think", "values"),
    [
        ("{% if enable_thinking is defined and not enable_thinking %}", False, {"enable_thinking": False}),
        ("{% if not thinking is defined %}{% set thinking = false %}{% endif %}", True, {"thinking": True}),
        ("{%- if reasoning_effort is not defined %}{%- set reasoning_effort = 'medium' %}{% endif %}", True, {}),
        ("{%- if reasoning_effort is not defined %}{% endif %}", False, {"reasoning_effort": "low"}),
        ("{% if reasoning_effort == 'none' %}{% endif %}", False, {"reasoning_effort": "none"}),
        ("{% if reasoning_effort == 'none' %}{% endif %}", True, {"reasoning_effort": "high"}),
        ("{{ thinking_budget | default(-1) }}", False, {"thinking_budget": 0}),
        ("{{ thinking_budget | default(-1) }}", True, {}),
        ("{{ message.thinking }} {{ 'enable_thinking' }} thinking", True, {}),
        ("{% set thinking = message.reasoning_content %}", True, {}),
        ("{% set modes = {'a': {'b': 1}} if thinking else {} %}", True, {"thinking": True}),
    ],
)
def test_the_thinking_is_switched_by_the_name_in_the_template(
    template: str, think: bool, values: dict[str, object]
) -> None:
    """Attributes, texts and variables that the template sets are not switches."""
    assert switches(template, think=think) == values


@pytest.mark.parametrize(
    ("template", "thinks"),
    [
        ("{{ messages }}", False),
        ("I think, {{ messages }}", False),
        ("{% if thinking %}{% endif %}", True),
        ("<|channel|>analysis", True),
        ("</think>", True),
    ],
)
def test_a_template_shows_that_a_model_can_think(template: str, thinks: bool) -> None:
    assert has_thinking(template) is thinks


@pytest.mark.parametrize("piece", ["{{", "{%", "<think>", "{{'", "{{.", "{{ }}", "{% %}", "%}"])
def test_any_template_is_read_in_a_moment(piece: str) -> None:
    """Its length alone decides: unclosed expressions would take minutes in quadratic time."""
    assert isinstance(has_thinking(piece * 100_000), bool)
