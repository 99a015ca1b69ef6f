"""Fields of a struct as declared in its annotations: type, bounds, default and texts.

Dialogs, command lines and checks all read them here, so that nothing is declared twice.
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

    `minimum` and `maximum` are the legal bounds: of a number, of the length of a text, or of the number of texts, each
    of 1 to `longest` characters. An `open_minimum` is not legal itself. An `optional` field may be None. `section`,
    `unit` and `multiline` are for dialogs.
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
    def legal_values(self) -> str:
        """The legal values as a phrase, to follow "it must be"."""
        match self.kind:
            case "choice":
                return f"one of {', '.join(self.choices)}"
            case "integer" | "number":
                span = f"above {self.minimum:,} and at most" if self.open_minimum else f"from {self.minimum:,} to"
                whole = "a whole number " if self.kind == "integer" else ""
                return f"{whole}{span} {self.maximum:,} {self.unit}".rstrip()
            case "text":
                return "text" if self.maximum is None else f"text of at most {self.maximum:,} characters"
            case "texts":
                each = f" of 1 to {self.longest} characters each" if self.longest else ""
                return f"at most {self.maximum} texts{each}"
            case "switch":
                return "on or off"
            case "group":
                return f"of the type {type(self.default).__name__}"

    def check(self, value: object, name: str = "") -> None:
        """Check a value; a message calls the field `name`, or by default `self.name`.

        Raises:
            InvalidParameter: the value is not legal; the message names it and the legal values.
        """
        if not self.allows(value):
            raise InvalidParameter(f"{name or self.name} is {reprlib.repr(value)}; it must be {self.legal_values}.")
        if isinstance(value, msgspec.Struct):
            check_struct(value)

    def allows(self, value: object) -> bool:
        """Return True if the value has the right type and is in range; NaN never is. Does not look into a group."""
        if value is None:
            return self.optional
        match self.kind:
            case "choice":
                allowed = value in self.choices
            case "switch" | "group":
                allowed = isinstance(value, type(self.default))
            case "text":
                allowed = isinstance(value, str) and (self.maximum is None or len(value) <= self.maximum)
            case "texts":
                texts = value if isinstance(value, list | tuple) else [None]
                allowed = len(texts) <= (self.maximum or len(texts)) and all(map(self._allows_item, texts))
            case "integer" | "number":
                allowed = self._allows_number(value)
        return allowed

    def _allows_number(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int if self.kind == "integer" else int | float):
            return False
        low, high = self.minimum or 0, self.maximum or 0
        return value <= high and (value > low if self.open_minimum else value >= low)

    def _allows_item(self, text: object) -> bool:
        return isinstance(text, str) and (self.longest is None or 1 <= len(text) <= self.longest)


def check_struct(struct: msgspec.Struct) -> None:
    """Check every field of `struct`.

    Raises:
        InvalidParameter: a value is not legal; the message names it and the legal values.
    """
    for field in fields(type(struct)):
        field.check(getattr(struct, field.name))


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
    (only,) = (alternative for alternative in kind.types if not isinstance(alternative, inspect.NoneType))
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
    raise TypeError(f"A setting of the type {type(kind).__name__} is not supported.")
