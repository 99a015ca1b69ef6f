"""The columns of the table of models as data: what each says of a model, and by what it is sorted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import time

from app.viewmodels.formatting.ages import age
from app.viewmodels.library.memory_fit import MemoryFit
from mlx_engine.amounts import format_context, format_disk, format_memory, format_short_count
from mlx_engine.models.description.describe import ModelDescription

SortKey = float | str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the table knows besides the models: whether they fit, and when each was last used, in Unix seconds by id."""

    memory: MemoryFit
    last_used: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """`widest` is as wide as its text ever gets; where room is short, the column of the greatest `rank` goes first."""

    name: str
    title: str
    text: Callable[[ModelDescription, Surroundings], str]
    key: Callable[[ModelDescription, Surroundings], SortKey]
    widest: str
    rank: int
    is_figure: bool = True


def _last_used(model: ModelDescription, around: Surroundings) -> str:
    used = around.last_used.get(model.id)
    return age(used, time()) if used else ""


COLUMNS: Sequence[Column] = (
    Column("name", "Name", lambda model, _: model.name, lambda model, _: model.name.casefold(), "", 0, is_figure=False),
    Column(
        "parameters",
        "Parameters",
        lambda model, _: format_short_count(model.parameters),
        lambda model, _: model.parameters,
        "88.8B Medium 888",
        1,
    ),
    Column(
        "quantization",
        "Quantization",
        lambda model, _: model.quantization,
        lambda model, _: model.quantization,
        "mixed 4/6/8-bit g64",
        4,
        is_figure=False,
    ),
    Column(
        "bits",
        "Bits/weight",
        lambda model, _: f"{model.bits_per_weight:.2f}",
        lambda model, _: model.bits_per_weight,
        "88.88",
        5,
    ),
    Column(
        "disk",
        "On disk",
        lambda model, _: format_disk(model.size_bytes),
        lambda model, _: model.size_bytes,
        "888.8 GB",
        2,
    ),
    Column(
        "memory",
        "Memory",
        lambda model, around: format_memory(around.memory.of(model).estimate.total_bytes),
        lambda model, around: around.memory.of(model).estimate.total_bytes,
        "888.8 GB 88",
        3,
    ),
    Column(
        "context",
        "Context",
        lambda model, _: format_context(model.context_length) if model.context_length else "",
        lambda model, _: model.context_length,
        "888k",
        7,
    ),
    Column(
        "license",
        "License",
        lambda model, _: model.license,
        lambda model, _: model.license.casefold(),
        "apache-2.0",
        8,
        is_figure=False,
    ),
    Column(
        "last_used",
        "Last used",
        _last_used,
        lambda model, around: around.last_used.get(model.id, 0.0),
        "28 Nov 2028",
        6,
    ),
)
NAMES = tuple(column.name for column in COLUMNS)
