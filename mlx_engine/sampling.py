"""How the next token is chosen: the values a person may set, and their ranges, declared once.

The worker, the settings dialog and the command line all read the bounds from the annotations of `Sampling`, by
`sampling_fields`. Imports no MLX.
"""

import functools
from typing import Annotated

import msgspec
from msgspec import Meta

from mlx_engine.declared import Field, fields

_longest_stop = 200


class Sampling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the next token is chosen, and when the answer ends."""

    temperature: Annotated[float, Meta(ge=0, le=2, description="Randomness; 0 always takes the likeliest token.")] = 0.7
    top_p: Annotated[
        float, Meta(gt=0, le=1, title="Top-p", description="Keep the likeliest tokens that add up to this share.")
    ] = 0.95
    top_k: Annotated[
        int, Meta(ge=0, le=1000, title="Top-k", description="Keep this many of the likeliest tokens; 0 keeps all.")
    ] = 0
    min_p: Annotated[
        float, Meta(ge=0, le=1, title="Min-p", description="Drop tokens less likely than this share of the top one.")
    ] = 0.0
    repetition_penalty: Annotated[float, Meta(ge=0.5, le=2, description="Above 1 makes repeating less likely.")] = 1.0
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1, description="The same seed gives the same answer.")] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=131_072, description="The longest answer, in tokens.")] = 4096
    stop: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=_longest_stop)], ...],
        Meta(max_length=16, description="The answer ends before any of these texts."),
    ] = ()


@functools.cache
def sampling_fields() -> dict[str, Field]:
    """Return the fields of `Sampling` by name, in the order in which they are declared."""
    return {field.name: field for field in fields(Sampling)}


def check_sampling(sampling: Sampling) -> None:
    """Check every value against its range.

    Raises:
        InvalidParameter: a value is out of range; the message names it and the legal range.
    """
    for name, field in sampling_fields().items():
        if not field.allows(value := getattr(sampling, name)):
            raise field.refuse(value)
