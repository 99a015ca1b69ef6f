"""Columns of the models table: text, sort key and width of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import time

from app.viewmodels.formatting.ages import format_age
from app.viewmodels.library.memory_fit import MemoryFit
from mlx_engine.amounts import format_context, format_disk, format_memory, format_short_count
from mlx_engine.models.description.describe import ModelDescription

SortKey = float | str


@dataclass(frozen=True, slots=True)
class ColumnInputs:
    """Inputs of the columns besides the model; `last_used` is in Unix seconds, by model id."""

    memory: MemoryFit
    last_used: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelColumn:
    """A column. `widest` is a sample of its widest text; when space is short, the highest `rank` is hidden first."""

    name: str
    title: str
    text: Callable[[ModelDescription, ColumnInputs], str]
    key: Callable[[ModelDescription, ColumnInputs], SortKey]
    widest: str
    rank: int
    is_figure: bool = True


def _last_used(model: ModelDescription, inputs: ColumnInputs) -> str:
    used = inputs.last_used.get(model.id)
    return format_age(used, time()) if used else ""


COLUMNS: Sequence[ModelColumn] = (
    ModelColumn(
        "name", "Name", lambda model, _: model.name, lambda model, _: model.name.casefold(), "", 0, is_figure=False
    ),
    ModelColumn(
        "parameters",
        "Parameters",
        lambda model, _: format_short_count(model.parameters),
        lambda model, _: model.parameters,
        "888.8B",
        1,
    ),
    ModelColumn(
        "quantization",
        "Quantization",
        lambda model, _: model.quantization,
        lambda model, _: model.quantization,
        "mixed 4/6/8-bit g64",
        4,
        is_figure=False,
    ),
    ModelColumn(
        "bits",
        "Bits/weight",
        lambda model, _: f"{model.bits_per_weight:.2f}",
        lambda model, _: model.bits_per_weight,
        "88.88",
        5,
    ),
    ModelColumn(
        "disk",
        "On disk",
        lambda model, _: format_disk(model.size_bytes),
        lambda model, _: model.size_bytes,
        "888.8 GB",
        2,
    ),
    ModelColumn(
        "memory",
        "Memory",
        lambda model, inputs: format_memory(inputs.memory.of(model).estimate.total_bytes),
        lambda model, inputs: inputs.memory.of(model).estimate.total_bytes,
        "888.8 GB 88",
        3,
    ),
    ModelColumn(
        "context",
        "Context",
        lambda model, _: format_context(model.context_length) if model.context_length else "",
        lambda model, _: model.context_length,
        "888k",
        7,
    ),
    ModelColumn(
        "license",
        "License",
        lambda model, _: model.license,
        lambda model, _: model.license.casefold(),
        "apache-2.0",
        8,
        is_figure=False,
    ),
    ModelColumn(
        "last_used",
        "Last used",
        _last_used,
        lambda model, inputs: inputs.last_used.get(model.id, 0.0),
        "28 Nov 2028",
        6,
    ),
)
COLUMN_NAMES = tuple(column.name for column in COLUMNS)
