"""The sampling values that a model comes with, in `generation_config.json`."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from mlx_engine.sampling import Sampling, sampling_fields

FILE_NAME = "generation_config.json"
_limit_bytes = 2**16
NAMES = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
"""Of the values that a model may recommend."""


def recommended(folder: Path) -> dict[str, float]:
    """Return the values by the names that `Sampling` has for them; what is not legal, or not there, is left out.

    A model that is not to sample at all is one of temperature 0.
    """
    values = _read(folder / FILE_NAME)
    legal = (name for name in NAMES if values.get(name) is not None and sampling_fields()[name].allows(values[name]))
    found = {name: values[name] for name in legal}
    return {"temperature": 0.0} if values.get("do_sample") is False and not found else found


def with_recommended(chosen: Sampling, recommendation: dict[str, float], *, said: Collection[str] = ()) -> Sampling:
    """Return `chosen` with what is recommended in place of each value that is still Facet's own default.

    Values that are known to be `said`, by their names, stay in any case.
    """
    factory = Sampling()
    free = {
        name: value
        for name, value in recommendation.items()
        if name not in said and getattr(chosen, name) == getattr(factory, name)
    }
    return msgspec.structs.replace(chosen, **free)


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _limit_bytes:
            return {}
        values = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
