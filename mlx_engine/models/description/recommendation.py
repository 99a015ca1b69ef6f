"""The sampling values that a model recommends in `generation_config.json`."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from mlx_engine.sampling import Sampling, sampling_fields

FILE_NAME = "generation_config.json"
_limit_bytes = 2**16
NAMES = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
"""The values that a model may recommend."""


def recommended(folder: Path) -> dict[str, float]:
    """Return the values by their names in `Sampling`, without those that are absent or out of range.

    A model that recommends not to sample gets temperature 0: its other values are left over from the library's
    defaults, which then have no effect.
    """
    values = _read(folder / FILE_NAME)
    if values.get("do_sample") is False:
        return {"temperature": 0.0} | _legal(values, ("repetition_penalty",))
    return _legal(values, NAMES)


def _legal(values: dict[str, Any], names: Collection[str]) -> dict[str, float]:
    return {
        name: values[name]
        for name in names
        if values.get(name) is not None and sampling_fields()[name].allows(values[name])
    }


def with_recommended(
    sampling: Sampling, recommendation: dict[str, float], *, explicit: Collection[str] = ()
) -> Sampling:
    """Return `sampling` with recommended values in place of those that still have Facet's defaults.

    `explicit` names the values that the user set, which never change.
    """
    defaults = Sampling()
    changes = {
        name: value
        for name, value in recommendation.items()
        if name not in explicit and getattr(sampling, name) == getattr(defaults, name)
    }
    return msgspec.structs.replace(sampling, **changes)


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.stat().st_size > _limit_bytes:
            return {}
        values = msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}
