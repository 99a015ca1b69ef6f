"""JSON on standard output, one object per line."""

import sys
from typing import Any

import msgspec

from mlx_engine.models.description.description import BrokenDescription, ModelDescription


def write_json(value: object) -> None:
    """Write one line to standard output; paths become strings."""
    sys.stdout.write(msgspec.json.encode(value, enc_hook=str).decode() + "\n")


def model_fields(model: ModelDescription | BrokenDescription) -> dict[str, Any]:
    """Return the fields of a model, with its size class."""
    fields: dict[str, Any] = msgspec.to_builtins(model, enc_hook=str)
    return fields if isinstance(model, BrokenDescription) else {**fields, "size_class": model.size_class}
