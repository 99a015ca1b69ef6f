"""The features of a model's chat template, which is read as text and never run."""

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mlx_engine.errors import BrokenModel

_limit_bytes = 2**24
# The markers around a model's thinking that mlx-lm supports (tokenizer_utils.py, 0.32.2).
_thinking = re.compile(r"<think>|<longcat_think>|<\|think:start\|>|<\|channel>thought|<\|open\|>think|enable_thinking")
_tools = re.compile(r"\btools\b")


class _Named(msgspec.Struct):
    template: str = ""


class _Settings(msgspec.Struct):
    chat_template: str | list[_Named] | None = None


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
    return traits(_read(folder))


def traits(template: str) -> TemplateTraits:
    """Return the features of `template`, "" for none."""
    return TemplateTraits(bool(template), bool(_thinking.search(template)), bool(_tools.search(template)))


def read_separate(folder: Path) -> str:
    """Return the template in chat_template.json, where multimodal models keep it, if it is the only one; else "".

    Raises:
        BrokenModel: a file is damaged.
        OSError: it cannot be read.
    """
    return "" if _read_of_tokenizer(folder) else _in_json(folder / "chat_template.json")


def _read(folder: Path) -> str:
    return _read_of_tokenizer(folder) or read_separate(folder)


def _read_of_tokenizer(folder: Path) -> str:
    """Return the template that transformers reads with the tokenizer."""
    if (path := folder / "chat_template.jinja").is_file():
        return _bounded(path).decode(errors="replace")
    return _in_json(folder / "tokenizer_config.json")


def _in_json(path: Path) -> str:
    if not path.is_file():
        return ""
    try:
        settings = msgspec.json.decode(_bounded(path), type=_Settings)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BrokenModel(f"{path.name} is damaged: {error}.") from error
    template = settings.chat_template
    if isinstance(template, list):
        return "\n".join(named.template for named in template)
    return template or ""


def _bounded(path: Path) -> bytes:
    if path.stat().st_size > _limit_bytes:
        raise BrokenModel(f"{path.name} is damaged: it is far too large.")
    return path.read_bytes()
