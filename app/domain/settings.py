"""The settings, each declared once: type, default, bounds, section and description, for the dialog and the file.

A field without a section is set by the app itself and is not in the dialog.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from mlx_engine import declared
from mlx_engine.declared import Field
from mlx_engine.sampling import Sampling

__all__ = ["Field", "Settings", "check", "fields"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings with their defaults."""

    appearance: Annotated[
        Literal["system", "light", "dark"],
        Meta(
            title="Appearance",
            description="Follow the system, or always use light or dark mode.",
            extra={"section": "General"},
        ),
    ] = "system"
    text_size: Annotated[
        int,
        Meta(
            ge=80,
            le=200,
            title="Text size",
            description="Size of all text, as a percentage of the system size.",
            extra={"section": "General", "unit": "%"},
        ),
    ] = 100
    idle_unload_minutes: Annotated[
        int,
        Meta(
            ge=0,
            le=1440,
            title="Unload an idle model after",
            description="Unload the model after this many idle minutes. 0 means never.",
            extra={"section": "General", "unit": "min"},
        ),
    ] = 0
    offline: Annotated[
        bool,
        Meta(
            title="Stay offline",
            description="Block all network access. Searches and downloads pause.",
            extra={"section": "General"},
        ),
    ] = False
    system_prompt: Annotated[
        str,
        Meta(
            max_length=100_000,
            title="System prompt",
            description="Instructions for the model at the start of each new conversation.",
            extra={"section": "Chat", "multiline": True},
        ),
    ] = ""
    show_thinking: Annotated[
        bool,
        Meta(
            title="Show thinking",
            description="Unfold the thinking while the model thinks.",
            extra={"section": "Chat"},
        ),
    ] = True
    sampling: Annotated[
        Sampling,
        Meta(title="Sampling", description="Sampling parameters of new conversations.", extra={"section": "Sampling"}),
    ] = Sampling()
    model_folders: Annotated[
        tuple[str, ...],
        Meta(
            max_length=100,
            title="Model folders",
            description="Additional folders to search for models, besides those of Facet and other apps.",
        ),
    ] = ()
    last_model: str = ""
    sidebar_visible: bool = True
    lab_columns_shown: Annotated[
        tuple[str, ...],
        Meta(max_length=100, title="Visible Lab columns", description="Columns that are always shown."),
    ] = ()
    lab_columns_hidden: Annotated[
        tuple[str, ...],
        Meta(max_length=100, title="Hidden Lab columns", description="Columns that are never shown."),
    ] = ()


def fields(struct: type[msgspec.Struct] = Settings) -> tuple[Field, ...]:
    """Return the fields of `struct` (`Settings` or `Sampling`) in declaration order."""
    return declared.fields(struct)


def check(name: str, value: object) -> None:
    """Check the value of a setting against its declaration.

    Raises:
        InvalidParameter: the value is not legal; the message names it and the legal values.
    """
    (field,) = (field for field in fields() if field.name == name)
    field.check(value, field.label)
