"""How the next token is chosen: the values a person may set, and their ranges, declared once.

The worker, the settings dialog and the command line all read the bounds from the annotations of `Sampling`, by
`sampling_fields`. Imports nothing of Facet but its errors, and no MLX.
"""

import functools
import reprlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from mlx_engine.errors import InvalidParameter

_longest_stop = 200


class Sampling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the next token is chosen, and when the answer ends."""

    temperature: Annotated[float, Meta(ge=0, le=2, description="Randomness; 0 always takes the likeliest token.")] = 0.7
    top_p: Annotated[float, Meta(gt=0, le=1, description="Keep the likeliest tokens that add up to this share.")] = 0.95
    top_k: Annotated[int, Meta(ge=0, le=1000, description="Keep this many of the likeliest tokens; 0 keeps all.")] = 0
    min_p: Annotated[float, Meta(ge=0, le=1, description="Drop tokens less likely than this share of the top one.")] = (
        0.0
    )
    repetition_penalty: Annotated[float, Meta(ge=0.5, le=2, description="Above 1 makes repeating less likely.")] = 1.0
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1, description="The same seed gives the same answer.")] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=131_072, description="The longest answer, in tokens.")] = 4096
    stop: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=_longest_stop)], ...],
        Meta(max_length=16, description="The answer ends before any of these texts."),
    ] = ()


@dataclass(frozen=True, slots=True)
class SamplingField:
    """What a dialog or a command line needs to know of one field of `Sampling`.

    `low` and `high` bound the value of a number, or how many `texts` there may be; with `low_excluded` the value must
    be above `low`. An `optional` field may be None.
    """

    name: str
    kind: Literal["number", "integer", "texts"]
    low: float
    high: float
    low_excluded: bool
    optional: bool
    default: Any
    description: str

    @property
    def range_in_words(self) -> str:
        """The whole legal range, to follow the words "it must be"."""
        if self.kind == "texts":
            return f"at most {self.high} texts of 1 to {_longest_stop} characters each"
        span = f"above {self.low:,} and at most" if self.low_excluded else f"from {self.low:,} to"
        return f"{'a whole number ' if self.kind == 'integer' else ''}{span} {self.high:,}"

    def allows(self, value: object) -> bool:
        """Return whether `value` has the right type and lies within the range; NaN never does."""
        if value is None:
            return self.optional
        if self.kind == "texts":
            texts = value if isinstance(value, list | tuple) else [None]
            return len(texts) <= self.high and all(isinstance(t, str) and 1 <= len(t) <= _longest_stop for t in texts)
        if isinstance(value, bool) or not isinstance(value, int if self.kind == "integer" else int | float):
            return False
        return value <= self.high and (value > self.low if self.low_excluded else value >= self.low)

    def refuse(self, value: object) -> InvalidParameter:
        """Return the error that names the value and the whole legal range."""
        return InvalidParameter(f"{self.name} is {reprlib.repr(value)}; it must be {self.range_in_words}.")


@functools.cache
def sampling_fields() -> dict[str, SamplingField]:
    """Return the fields of `Sampling` by name, in the order in which they are declared."""
    info: Any = msgspec.inspect.type_info(Sampling)
    return {field.name: _field(field.name, field.type, field.default) for field in info.fields}


def check_sampling(sampling: Sampling) -> None:
    """Check every value against its range.

    Raises:
        InvalidParameter: a value is out of range; the message names it and the legal range.
    """
    for name, field in sampling_fields().items():
        if not field.allows(value := getattr(sampling, name)):
            raise field.refuse(value)


def _field(name: str, kind: Any, default: Any) -> SamplingField:
    optional = isinstance(kind, msgspec.inspect.UnionType)
    if optional:
        kind = next(one for one in kind.types if not isinstance(one, msgspec.inspect.NoneType))
    notes: dict[str, Any] = {}
    if isinstance(kind, msgspec.inspect.Metadata):
        notes, kind = kind.extra_json_schema or {}, kind.type
    kind_name = _kinds[type(kind)]
    excluded = getattr(kind, "gt", None) is not None
    low, high = (0, kind.max_length) if kind_name == "texts" else (kind.gt if excluded else kind.ge, kind.le)
    return SamplingField(
        name=name,
        kind=kind_name,
        low=low,
        high=high,
        low_excluded=excluded,
        optional=optional,
        default=default,
        description=notes["description"],
    )


_kinds: dict[type, Literal["number", "integer", "texts"]] = {
    msgspec.inspect.FloatType: "number",
    msgspec.inspect.IntType: "integer",
    msgspec.inspect.VarTupleType: "texts",
}
