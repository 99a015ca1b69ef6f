"""Builds HTML from values: what is not markup already is escaped, so that no text can become an element."""

from html import escape

from mlx_engine.measure.results.safe_characters import visible

_EMPTY = ("br", "meta")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(name: str, /, *content: str, **attributes: str | bool) -> Markup:
    """Return an element. An attribute's underscores stand for hyphens, one at the end for nothing; False leaves it out.

    Content that is no `Markup` is shown as the text it is.
    """
    told = "".join(_attribute(key, value) for key, value in attributes.items() if value is not False)
    head = f"<{name}{told}>"
    return Markup(head) if name in _EMPTY else Markup(f"{head}{joined(*content)}</{name}>")


def joined(*content: str) -> Markup:
    """Return the pieces one after the other, what is no `Markup` escaped."""
    return Markup("".join(piece if isinstance(piece, Markup) else _escaped(piece) for piece in content))


def _attribute(key: str, value: str | bool) -> str:
    name = key.removesuffix("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{_escaped(str(value))}"'


def _escaped(text: str) -> str:
    return escape(visible(text))
