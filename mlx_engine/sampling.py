"""Sampling parameters and their ranges, declared once.

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
    """The choice of the next token, and the end of an answer."""

    temperature: Annotated[
        float, Meta(ge=0, le=2, description="Randomness. 0 always selects the most likely token.")
    ] = 0.7
    top_p: Annotated[
        float,
        Meta(gt=0, le=1, title="Top-p", description="Sample from the top tokens up to this total probability."),
    ] = 0.95
    top_k: Annotated[
        int,
        Meta(ge=0, le=1000, title="Top-k", description="Sample from this many of the top tokens. 0 means all."),
    ] = 0
    min_p: Annotated[
        float, Meta(ge=0, le=1, title="Min-p", description="Drop tokens below this fraction of the top probability.")
    ] = 0.0
    repetition_penalty: Annotated[
        float, Meta(ge=0.5, le=2, description="Values above 1 make repetition less likely.")
    ] = 1.0
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1, description="The same seed gives the same answer.")] | None = None
    max_tokens: Annotated[
        int, Meta(ge=1, le=131_072, title="Maximum tokens", description="Maximum length of an answer.")
    ] = 4096
    stop: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=_longest_stop)], ...],
        Meta(max_length=16, title="Stop sequences", description="End the answer at any of these."),
    ] = ()


@functools.cache
def sampling_fields() -> dict[str, Field]:
    """Return the fields of `Sampling` by name, in the order in which they are declared."""
    return {field.name: field for field in fields(Sampling)}
