"""Reads the license and the base model from a model card's front matter, and its text.

The card is not trusted: it is read line by line, and YAML is not evaluated.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_limit_bytes = 64 * 1024
_text_limit_bytes = 1_000_000
_field = re.compile(r"(license|license_name|base_model):[ \t]*(\S.*)?")
_any_field = re.compile(r"([\w-]{1,60}):[ \t]*(\S.*)?")
_item = re.compile(r"-[ \t]+(\S.*)")
_plain = re.compile(r"[\w .:/+-]{1,100}")


@dataclass(frozen=True, slots=True)
class CardMetadata:
    """The metadata of a model card; "" where it has no usable value."""

    license: str = ""
    base_model: str = ""


def read_card(folder: Path) -> CardMetadata:
    """Return the fields of the card in `folder`; empty if it is missing or unreadable."""
    fields = _fields(_read(folder, _limit_bytes))
    name = fields.get("license", "")
    # The Hub calls every license that is not on its list "other", and lets the card name it.
    if name == "other":
        name = fields.get("license_name", name)
    return CardMetadata(name, fields.get("base_model", ""))


def read_card_text(folder: Path) -> str:
    """Return the Markdown of the card in `folder`, truncated if it is very long; "" if there is none."""
    return without_metadata(_read(folder, _text_limit_bytes))


def read_metadata(card: str) -> dict[str, tuple[str, ...]]:
    """Return the plain values of the fields in the YAML front matter: one each, or a list."""
    first, *lines = card[:_limit_bytes].splitlines() or [""]
    fields: dict[str, tuple[str, ...]] = {}
    if first.strip() != "---":
        return fields
    name = ""
    for line in lines:
        if line.strip() == "---":
            return fields
        if match := _any_field.fullmatch(line.rstrip()):
            name, values = match[1], (match[2] or "").strip("[]").split(",")
        elif match := _item.fullmatch(line.strip()):
            values = [match[1]]
        else:
            name, values = "", []
        plain = (value.strip("\"' ") for value in values)
        fields[name] = (*fields.get(name, ()), *(value for value in plain if _plain.fullmatch(value)))
    return {}


def without_metadata(card: str) -> str:
    """Return the card without its YAML front matter."""
    lines = card.splitlines(keepends=True)
    if lines and lines[0].strip() == "---":
        for at, line in enumerate(lines[1:], start=1):
            if line.strip() == "---":
                return "".join(lines[at + 1 :]).lstrip("\n")
    return card


def _read(folder: Path, limit_bytes: int) -> str:
    try:
        with (folder / "README.md").open("rb") as file:
            return file.read(limit_bytes).decode(errors="replace")
    except OSError:
        return ""


def _fields(text: str) -> dict[str, str]:
    """Return the first value of each field; the items of a list are on separate lines."""
    first, *lines = text.splitlines() or [""]
    fields: dict[str, str] = {}
    if first.strip() != "---":
        return fields
    name = ""
    for line in lines:
        if line.strip() == "---":
            break
        if match := _field.fullmatch(line.rstrip()):
            name, value = match[1], match[2] or ""
        elif match := _item.fullmatch(line.strip()):
            value = match[1]
        else:
            name = value = ""
        value = value.strip("\"' ")
        if name and name not in fields and _plain.fullmatch(value):
            fields[name] = value
    return fields
