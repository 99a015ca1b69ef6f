"""Builds HTML from values. Text that is not `Markup` is escaped, so it cannot become an element."""

from html import escape

from mlx_engine.measure.results.safe_characters import visible

_EMPTY = ("br", "meta")


class Markup(str):
    """Text that is already HTML."""

    __slots__ = ()


def element(name: str, /, *content: str, **attributes: str | bool) -> Markup:
    """Return an element. Content that is not `Markup` is escaped.

    In the name of an attribute, a trailing underscore is dropped and others become hyphens. An attribute that is False
    is omitted, and one that is True has no value.
    """
    pairs = "".join(_attribute(key, value) for key, value in attributes.items() if value is not False)
    head = f"<{name}{pairs}>"
    return Markup(head) if name in _EMPTY else Markup(f"{head}{joined(*content)}</{name}>")


def joined(*content: str) -> Markup:
    """Return the concatenated pieces; those that are not `Markup` are escaped."""
    return Markup("".join(piece if isinstance(piece, Markup) else _escaped(piece) for piece in content))


def _attribute(key: str, value: str | bool) -> str:
    name = key.removesuffix("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{_escaped(str(value))}"'


def _escaped(text: str) -> str:
    return escape(visible(text))
