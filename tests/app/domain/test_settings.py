"""Tests of the declared settings."""

import msgspec
import pytest

from app.domain.settings import Settings, fields
from mlx_engine.sampling import Sampling

FIELDS = {field.name: field for field in fields()}
SAMPLING = {field.name: field for field in fields(Sampling)}


@pytest.mark.parametrize("field", [*FIELDS.values(), *SAMPLING.values()], ids=lambda field: str(field.name))
def test_every_default_is_valid(field) -> None:
    """Each default satisfies its own bounds."""
    struct = Settings if field.name in FIELDS else Sampling
    declared = {item.name: item for item in msgspec.structs.fields(struct)}[field.name]
    assert msgspec.convert(msgspec.to_builtins(field.default), declared.type) == field.default


def test_every_setting_in_the_dialog_has_a_description() -> None:
    """The dialog shows the description."""
    assert [field.name for field in FIELDS.values() if field.section and not field.sentence] == []
    assert [field.name for field in SAMPLING.values() if field.kind == "number" and not field.sentence] == []


def test_bounds_and_units_come_from_the_declaration() -> None:
    """The dialog uses the limits that the file and the engine check."""
    size = FIELDS["text_size"]
    assert (size.kind, size.minimum, size.maximum, size.unit) == ("integer", 80, 200, "%")
    top_p = SAMPLING["top_p"]
    assert top_p.label == "Top-p"
    assert (top_p.kind, top_p.minimum, top_p.open_minimum, top_p.maximum) == ("number", 0, True, 1)


def test_choices_keep_their_order() -> None:
    """The dialog lists the choices in declaration order."""
    assert FIELDS["appearance"].choices == ("system", "light", "dark")


def test_a_field_that_can_be_none_is_optional() -> None:
    """The seed can be unset."""
    assert SAMPLING["seed"].optional
    assert SAMPLING["seed"].kind == "integer"
    assert not SAMPLING["top_k"].optional
