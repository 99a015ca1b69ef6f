"""What is declared of the fields of a struct: kind, bounds, default and words, read from its annotations.

Dialogs, command lines and checks all read it here, so that nothing is declared twice. Imports nothing of Facet but its
errors.
"""

import functools
import reprlib
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import inspect

from mlx_engine.errors import InvalidParameter

Kind = Literal["choice", "text", "integer", "number", "switch", "texts", "group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field.

    `minimum` and `maximum` are the legal bounds (of a text: of its length; of texts: of their number, each of 1 to
    `longest` characters); an `open_minimum` is not legal itself. An `optional` field may be None. `section`, `unit` and
    `multiline` are for dialogs.
    """

    name: str
    kind: Kind
    default: Any
    label: str
    sentence: str
    section: str = ""
    unit: str = ""
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    open_minimum: bool = False
    longest: int | None = None
    optional: bool = False
    multiline: bool = False

    @property
    def range_in_words(self) -> str:
        """The whole legal range, to follow the words "it must be"."""
        match self.kind:
            case "choice":
                return f"one of {', '.join(self.choices)}"
            case "integer" | "number":
                span = f"above {self.minimum:,} and at most" if self.open_minimum else f"from {self.minimum:,} to"
                whole = "a whole number " if self.kind == "integer" else ""
                return f"{whole}{span} {self.maximum:,} {self.unit}".rstrip()
            case "text":
                return "a text" if self.maximum is None else f"a text of at most {self.maximum:,} characters"
            case "texts":
                each = f" of 1 to {self.longest} characters each" if self.longest else ""
                return f"at most {self.maximum} texts{each}"
            case _:
                return "on or off" if self.kind == "switch" else "of its kind"

    def allows(self, value: object) -> bool:
        """Return whether a number or texts have the right type and lie within the range; NaN never does."""
        if value is None:
            return self.optional
        if self.kind == "texts":
            texts = value if isinstance(value, list | tuple) else [None]
            return len(texts) <= (self.maximum or len(texts)) and all(map(self._allows_text, texts))
        if isinstance(value, bool) or not isinstance(value, int if self.kind == "integer" else int | float):
            return False
        low, high = self.minimum or 0, self.maximum or 0
        return value <= high and (value > low if self.open_minimum else value >= low)

    def refuse(self, value: object) -> InvalidParameter:
        """Return the error that names the value and the whole legal range."""
        return InvalidParameter(f"{self.name} is {reprlib.repr(value)}; it must be {self.range_in_words}.")

    def _allows_text(self, text: object) -> bool:
        return isinstance(text, str) and (self.longest is None or 1 <= len(text) <= self.longest)


@functools.cache
def fields(struct: type[msgspec.Struct]) -> tuple[Field, ...]:
    """Return the fields of `struct` in the order of their declaration."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - narrows the type
    return tuple(_field(field, get_type_hints(struct)[field.name]) for field in info.fields)


def _field(declared: inspect.Field, hint: Any) -> Field:
    kind, optional = _without_none(declared.type)
    schema, extra = {}, {}
    if isinstance(kind, inspect.Metadata):
        schema, extra, kind = kind.extra_json_schema or {}, kind.extra or {}, kind.type
    return Field(
        name=declared.name,
        default=declared.default,
        label=schema.get("title", declared.name.replace("_", " ").capitalize()),
        sentence=schema.get("description", ""),
        optional=optional,
        **_bounds(kind, hint),
        **extra,
    )


def _without_none(kind: inspect.Type) -> tuple[inspect.Type, bool]:
    if not isinstance(kind, inspect.UnionType):
        return kind, False
    (only,) = (one for one in kind.types if not isinstance(one, inspect.NoneType))
    return only, True


def _bounds(kind: inspect.Type, hint: Any) -> dict[str, Any]:
    match kind:
        case inspect.LiteralType():
            return {"kind": "choice", "choices": get_args(hint)}  # msgspec sorts them; the hint keeps their order
        case inspect.IntType() | inspect.FloatType():
            return {
                "kind": "integer" if isinstance(kind, inspect.IntType) else "number",
                "minimum": kind.ge if kind.gt is None else kind.gt,
                "maximum": kind.le,
                "open_minimum": kind.gt is not None,
            }
        case inspect.BoolType():
            return {"kind": "switch"}
        case inspect.StrType():
            return {"kind": "text", "maximum": kind.max_length}
        case inspect.VarTupleType():
            return {"kind": "texts", "maximum": kind.max_length, "longest": getattr(kind.item_type, "max_length", None)}
        case inspect.StructType():
            return {"kind": "group"}
    raise TypeError(f"a setting cannot be a {type(kind).__name__}")
