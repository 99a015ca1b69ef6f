"""Checking values against the declaration of their field."""

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from mlx_engine.declared import check_struct, fields
from mlx_engine.errors import InvalidParameter


class Inner(msgspec.Struct, frozen=True):
    share: Annotated[float, Meta(gt=0, le=1)] = 0.5


class Outer(msgspec.Struct, frozen=True):
    color: Literal["red", "blue"] = "red"
    count: Annotated[int, Meta(ge=1, le=9)] | None = None
    name: Annotated[str, Meta(max_length=3)] = ""
    tags: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=2)], ...], Meta(max_length=2)] = ()
    is_on: bool = False
    inner: Inner = Inner()


FIELDS = {field.name: field for field in fields(Outer)}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("color", "blue"),
        ("count", 9),
        ("count", None),
        ("name", "abc"),
        ("tags", ("a", "bb")),
        ("is_on", True),
        ("inner", Inner(1)),
    ],
)
def test_a_legal_value_passes(name: str, value: Any) -> None:
    FIELDS[name].check(value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("color", "pink", "color is 'pink'; it must be one of red, blue."),
        ("count", 10, "count is 10; it must be a whole number from 1 to 9."),
        ("count", 2.0, "count is 2.0; it must be a whole number from 1 to 9."),
        ("name", "abcd", "name is 'abcd'; it must be text of at most 3 characters."),
        ("name", None, "name is None; it must be text of at most 3 characters."),
        ("tags", ("a", "b", "c"), "tags is ('a', 'b', 'c'); it must be at most 2 texts of 1 to 2 characters each."),
        ("tags", ("abc",), "tags is ('abc',); it must be at most 2 texts of 1 to 2 characters each."),
        ("is_on", 1, "is_on is 1; it must be on or off."),
        ("inner", 5, "inner is 5; it must be of the type Inner."),
        ("inner", Inner(0), "share is 0; it must be above 0 and at most 1."),
    ],
)
def test_an_illegal_value_is_rejected_with_the_legal_ones(name: str, value: Any, message: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        FIELDS[name].check(value)
    assert caught.value.message == message


def test_a_message_uses_the_name_that_the_user_knows() -> None:
    with pytest.raises(InvalidParameter, match="--count is 0"):
        FIELDS["count"].check(0, "--count")


def test_every_field_of_a_struct_is_checked() -> None:
    check_struct(Outer())
    with pytest.raises(InvalidParameter, match="share is 2"):
        check_struct(Outer(inner=Inner(2)))
