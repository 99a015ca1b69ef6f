"""`facet catalog`: lists recommended models."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from cyclopts import Parameter

from mlx_engine.amounts import format_disk, format_short_count
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.cli.views.table import new_table, print_rich
from mlx_engine.models.library.catalog import Recommendation, recommend
from mlx_engine.models.memory.machine import physical_memory_bytes

_COLUMNS = ("Name", "Class", "Parameters", "For this Mac", "Download", "License", "Repository")
_NUMBERS = ("Parameters", "Download")


def catalog(*, json: Annotated[bool, Parameter(negative=(), show_default=False)] = False) -> None:
    """List recommended models, with the best build of each for this Mac. Works offline.

    Args:
        json: Write JSON, one object per line; "recommended" is null if a model is too large for this Mac.
    """
    recommendations = recommend(physical_memory_bytes())
    if json:
        for recommendation in recommendations:
            write_json(_fields(recommendation))
    else:
        _print_table(recommendations)


def _fields(recommendation: Recommendation) -> dict[str, object]:
    return {
        **msgspec.structs.asdict(recommendation.entry),
        "size_class": recommendation.entry.size_class,
        "recommended": recommendation.build,
        "is_first_choice": recommendation.is_first_choice,
    }


def _print_table(recommendations: Sequence[Recommendation]) -> None:
    table = new_table(_COLUMNS, right_aligned=_NUMBERS, folds=True)
    for recommendation in recommendations:
        table.add_row(*_row(recommendation))
    print_rich(table)


def _row(recommendation: Recommendation) -> tuple[str, ...]:
    entry, build = recommendation.entry, recommendation.build
    fit = build.quantization if build else "too large"
    return (
        entry.name,
        entry.size_class,
        format_short_count(entry.parameters),
        f"{fit}, best pick" if recommendation.is_first_choice else fit,
        format_disk(recommendation.best_build.size_bytes),
        entry.license,
        recommendation.best_build.repository,
    )
