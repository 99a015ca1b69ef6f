"""The settings, each declared once: type, default, bounds, section and a sentence. The dialog and the file follow.

A field without a section is remembered by the app itself and has no place in the dialog.
"""

import reprlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta, inspect

from mlx_engine.errors import InvalidParameter
from mlx_engine.sampling import Sampling, check_sampling

Kind = Literal["choice", "text", "integer", "number", "switch", "words", "group"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting with its default."""

    appearance: Annotated[
        Literal["system", "light", "dark"],
        Meta(
            title="Appearance",
            description="Follow the system, or always be light or dark.",
            extra={"section": "General"},
        ),
    ] = "system"
    text_size: Annotated[
        int,
        Meta(
            ge=80,
            le=200,
            title="Text size",
            description="The size of all text, in per cent of the system's.",
            extra={"section": "General", "unit": "%"},
        ),
    ] = 100
    idle_unload_minutes: Annotated[
        int,
        Meta(
            ge=0,
            le=1440,
            title="Unload an idle model after",
            description="Give the memory back after so many minutes without a question; 0 never does.",
            extra={"section": "General", "unit": "min"},
        ),
    ] = 0
    offline: Annotated[
        bool,
        Meta(
            title="Stay offline",
            description="Refuse every connection but those within this Mac. Searches and downloads wait.",
            extra={"section": "General"},
        ),
    ] = False
    system_prompt: Annotated[
        str,
        Meta(
            max_length=100_000,
            title="System prompt",
            description="What a new conversation tells the model before the first message.",
            extra={"section": "Chat", "multiline": True},
        ),
    ] = ""
    show_thinking: Annotated[
        bool,
        Meta(
            title="Show thinking",
            description="Unfold what a model thinks before it answers.",
            extra={"section": "Chat"},
        ),
    ] = True
    sampling: Annotated[
        Sampling,
        Meta(title="Sampling", description="How a new conversation chooses its tokens.", extra={"section": "Sampling"}),
    ] = Sampling()
    model_folders: Annotated[
        tuple[str, ...],
        Meta(
            max_length=100,
            title="Folders of models",
            description="Where to look for models besides Facet's own folder and those of other programs.",
        ),
    ] = ()
    last_model: str = ""
    sidebar_visible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What the dialog needs to know of one field.

    `minimum` and `maximum` are the legal bounds (of a text: of its length); an `open` minimum is not legal itself.
    An `optional` field may be None.
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
    optional: bool = False
    multiline: bool = False

    @property
    def range_in_words(self) -> str:
        """What is legal, to follow the words "it must be"."""
        match self.kind:
            case "choice":
                return f"one of {', '.join(self.choices)}"
            case "integer" | "number":
                return f"from {self.minimum:,} to {self.maximum:,} {self.unit}".rstrip()
            case "text":
                return "a text" if self.maximum is None else f"a text of at most {self.maximum:,} characters"
            case _:
                return "on or off" if self.kind == "switch" else "of its kind"


def fields(struct: type[msgspec.Struct] = Settings) -> tuple[Field, ...]:
    """Return the fields of `struct` (`Settings` or `Sampling`) in the order of their declaration."""
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)  # noqa: S101 - narrows the type
    return tuple(_field(field, get_type_hints(struct)[field.name]) for field in info.fields)


def check(name: str, value: object) -> None:
    """Check the value of a setting against its declaration.

    Raises:
        InvalidParameter: it is out of range; the message names it and what would be legal.
    """
    if isinstance(value, Sampling):
        check_sampling(value)
    try:
        msgspec.convert(value, get_type_hints(Settings, include_extras=True)[name])
    except msgspec.ValidationError as error:
        (field,) = (field for field in fields() if field.name == name)
        raise InvalidParameter(f"{field.label} is {reprlib.repr(value)}; it must be {field.range_in_words}.") from error


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
            return {"kind": "words", "maximum": kind.max_length}
        case inspect.StructType():
            return {"kind": "group"}
    raise TypeError(f"a setting cannot be a {type(kind).__name__}")
