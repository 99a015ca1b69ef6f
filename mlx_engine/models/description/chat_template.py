"""The features of a model's chat template, which is read as text and never run."""

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mlx_engine.errors import BrokenModel
from mlx_engine.models.description.thinking import has_thinking
from mlx_engine.models.files.named_templates import choose

_limit_bytes = 2**24
_tools = re.compile(r"\btools\b")


class _Named(msgspec.Struct):
    name: str = ""
    template: str | None = None


class _Settings(msgspec.Struct):
    chat_template: str | list[_Named] | dict[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class TemplateTraits:
    """The features of a chat template; all false without a template."""

    exists: bool
    has_thinking: bool
    has_tools: bool


def read_traits(folder: Path) -> TemplateTraits:
    """Return the features of the chat template in `folder`.

    Raises:
        BrokenModel: the file that should contain it is damaged.
        OSError: it cannot be read.
    """
    return traits(read(folder))


def traits(template: str) -> TemplateTraits:
    """Return the features of `template`, "" for none."""
    return TemplateTraits(bool(template), has_thinking(template), bool(_tools.search(template)))


def read(folder: Path) -> str:
    """Return the template that the model in `folder` is used with; "" if there is none.

    The sources have the order of transformers: files of their own, then the tokenizer's settings, then
    chat_template.json, where multimodal models keep it. Blank ones do not count.

    Raises:
        BrokenModel: a file is damaged.
        OSError: it cannot be read.
    """
    return (
        choose(_in_files(folder))
        or _in_json(folder / "tokenizer_config.json")
        or _in_json(folder / "chat_template.json")
    )


def _in_files(folder: Path) -> dict[str, str]:
    files = {path.stem: path for path in sorted((folder / "additional_chat_templates").glob("*.jinja"))}
    if (default := folder / "chat_template.jinja").is_file():
        files["default"] = default
    return {name: _bounded(path).decode(errors="replace") for name, path in files.items()}


def _in_json(path: Path) -> str:
    if not path.is_file():
        return ""
    try:
        settings = msgspec.json.decode(_bounded(path), type=_Settings)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenModel(f"{path.name} is damaged: {error}.") from error
    template = settings.chat_template
    if isinstance(template, list):
        template = {named.name: named.template for named in template}
    if isinstance(template, dict):
        return choose({name: text for name, text in template.items() if text})
    return choose({"default": template or ""})


def _bounded(path: Path) -> bytes:
    if path.stat().st_size > _limit_bytes:
        raise BrokenModel(f"{path.name} is damaged: it is far too large.")
    return path.read_bytes()
