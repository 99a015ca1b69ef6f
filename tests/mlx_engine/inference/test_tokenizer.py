"""Loading tokenizers of model folders."""

import json
import shutil
from pathlib import Path

import pytest

from mlx_engine.inference.tokenizer import load_tokenizer


def _folder(tmp_path: Path, tiny_models: Path, **settings: object) -> Path:
    folder = Path(shutil.copytree(tiny_models / "llama", tmp_path / "model"))
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))
    return folder


@pytest.mark.parametrize("name", ["gemma4", "nowhere.else", 9, None])
def test_the_folders_template_replaces_an_unknown_one(name: object, tmp_path: Path, tiny_models: Path) -> None:
    """mlx-lm has a module for few names, and would fail."""
    folder = _folder(tmp_path, tiny_models, chat_template_type=name, chat_template="{{ messages[0].content }}!")
    tokenizer = load_tokenizer(folder, None)
    messages = [{"role": "user", "content": "hello"}]
    assert tokenizer.apply_chat_template(messages, tokenize=False) == "hello!"


def test_a_parser_that_suits_the_template_replaces_an_unknown_one(tmp_path: Path, tiny_models: Path) -> None:
    template = "<tool_call>{{ tool_call.name }}</tool_call>"
    folder = _folder(tmp_path, tiny_models, tool_parser_type="nowhere_9", chat_template=template)
    assert load_tokenizer(folder, None).tool_call_start == "<tool_call>"


def test_a_template_of_mlx_lm_is_used_by_its_name(tmp_path: Path, tiny_models: Path) -> None:
    folder = _folder(tmp_path, tiny_models, chat_template_type="deepseek_v32", chat_template="{{ messages }}")
    text = load_tokenizer(folder, None).apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)
    assert "User" in text


@pytest.mark.parametrize(
    "templates",
    [[{"template": "{{ messages[0].content }}!"}], {"default": "{{ messages[0].content }}!", "tool_use": "tools"}],
)
def test_named_templates_need_not_have_the_form_of_transformers(
    templates: object, tmp_path: Path, tiny_models: Path
) -> None:
    folder = _folder(tmp_path, tiny_models, chat_template=templates)
    text = load_tokenizer(folder, None).apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)
    assert text == "hi!"


def test_a_template_in_a_file_of_its_own_is_used_if_it_is_the_only_one(tmp_path: Path, tiny_models: Path) -> None:
    """As the library shows it: transformers reads chat_template.json for multimodal models only."""
    folder = _folder(tmp_path, tiny_models, chat_template=None)
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": "{{ messages[0].content }}!"}))
    tokenizer = load_tokenizer(folder, None)
    assert tokenizer.has_chat_template
    assert tokenizer.apply_chat_template([{"role": "user", "content": "hello"}], tokenize=False) == "hello!"


def test_the_tokenizers_template_precedes_chat_template_json(tmp_path: Path, tiny_models: Path) -> None:
    folder = _folder(tmp_path, tiny_models, chat_template="{{ messages[0].content }}!")
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": "other"}))
    text = load_tokenizer(folder, None).apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)
    assert text == "hi!"


def test_a_configuration_that_transformers_rejects_does_not_matter(tmp_path: Path, tiny_models: Path) -> None:
    """It checks config.json by rules of its own, such as names of layers, although the tokenizer needs none of them."""
    folder = _folder(tmp_path, tiny_models)
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "gear", "num_hidden_layers": 2, "layer_types": ["conv_mixer", "full_attention"]}
    (folder / "config.json").write_text(json.dumps(config))
    assert load_tokenizer(folder, None).encode("hello", add_special_tokens=False)
