"""The settings, each declared once: type, default, bounds, section and a sentence. The dialog and the file follow.

A field without a section is remembered by the app itself and has no place in the dialog.
"""

import reprlib
from typing import Annotated, Literal, get_type_hints

import msgspec
from msgspec import Meta

from mlx_engine import declared
from mlx_engine.declared import Field
from mlx_engine.errors import InvalidParameter
from mlx_engine.sampling import Sampling, check_sampling

__all__ = ["Field", "Settings", "check", "fields"]


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
    lab_columns_shown: Annotated[
        tuple[str, ...],
        Meta(max_length=100, title="Columns of the Lab", description="Those that are shown whatever was measured."),
    ] = ()
    lab_columns_hidden: Annotated[
        tuple[str, ...],
        Meta(max_length=100, title="Hidden columns of the Lab", description="Those that are never shown."),
    ] = ()


def fields(struct: type[msgspec.Struct] = Settings) -> tuple[Field, ...]:
    """Return the fields of `struct` (`Settings` or `Sampling`) in the order of their declaration."""
    return declared.fields(struct)


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
