"""The chat template of a model folder."""

import json
from pathlib import Path

import pytest

from mlx_engine.errors import BrokenModel
from mlx_engine.models.description.chat_template import read, read_traits
from mlx_engine.models.files.named_templates import choose


def _write(folder: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


JINJA, ADDITIONAL = "chat_template.jinja", "additional_chat_templates"
SETTINGS, OF_PROCESSOR = "tokenizer_config.json", "chat_template.json"


@pytest.mark.parametrize(
    ("files", "template"),
    [
        ({JINJA: "a", SETTINGS: {"chat_template": "b"}, OF_PROCESSOR: {"chat_template": "c"}}, "a"),
        ({SETTINGS: {"chat_template": "b"}, OF_PROCESSOR: {"chat_template": "c"}}, "b"),
        ({SETTINGS: {}, OF_PROCESSOR: {"chat_template": "c"}}, "c"),
        ({SETTINGS: {"chat_template": ""}, OF_PROCESSOR: {"chat_template": "c"}}, "c"),
        ({JINJA: " \n", SETTINGS: {"chat_template": "b"}}, "b"),
        ({JINJA: "a", f"{ADDITIONAL}/tool_use.jinja": "t"}, "a"),
        ({f"{ADDITIONAL}/tool_use.jinja": "t", f"{ADDITIONAL}/plain.jinja": "p"}, "p"),
        ({SETTINGS: {"chat_template": None}}, ""),
        ({}, ""),
    ],
)
def test_sources_have_the_order_of_transformers(files: dict[str, object], template: str, tmp_path: Path) -> None:
    """Blank ones do not count."""
    assert read(_write(tmp_path, files)) == template


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (["tool_use", "default"], "default"),
        (["rag", "tool_use", "chat"], "chat"),
        (["rag", "friendly"], "friendly"),
        (["tool_use"], "tool_use"),
        ([], ""),
    ],
)
def test_one_of_several_named_templates_is_for_chats(names: list[str], name: str, tmp_path: Path) -> None:
    assert choose({name: name for name in names}) == name
    settings = {"chat_template": [{"name": name, "template": name} for name in names]}
    assert read(_write(tmp_path, {SETTINGS: settings})) == name


def test_named_templates_can_be_an_object(tmp_path: Path) -> None:
    named = {"default": None, "tool_use": "t", "chat": "c"}
    assert read(_write(tmp_path, {SETTINGS: {"chat_template": named}})) == "c"


def test_a_named_template_can_be_absent(tmp_path: Path) -> None:
    named = [{"name": "default", "template": None}, {"name": "chat", "template": "c"}]
    assert read(_write(tmp_path, {SETTINGS: {"chat_template": named}})) == "c"


def test_a_template_of_another_type_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match=r"tokenizer_config\.json is damaged"):
        read(_write(tmp_path, {SETTINGS: {"chat_template": 5}}))


def test_traits_are_those_of_the_chosen_template(tmp_path: Path) -> None:
    """Tools of another template do not count."""
    named = [{"name": "default", "template": "<think>"}, {"name": "tool_use", "template": "{{ tools }}"}]
    traits = read_traits(_write(tmp_path, {SETTINGS: {"chat_template": named}}))
    assert (traits.exists, traits.has_thinking, traits.has_tools) == (True, True, False)
