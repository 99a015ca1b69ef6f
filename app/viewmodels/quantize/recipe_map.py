"""Map of a recipe: a row per layer, a column per kind of matrix."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.viewmodels.formatting.matrix import kind_order
from mlx_engine.models.description.bit_map import LAYER
from mlx_engine.models.files.safetensors import tensor_bytes
from mlx_engine.quantize.plan.layout import ParameterPlacement
from mlx_engine.quantize.recipes.recipe import Format


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One matrix. `summary` is its treatment, `obstacle` the reason that it is kept against the recipe."""

    path: str
    bits: float
    summary: str
    obstacle: str = ""
    format: Format | None = None


@dataclass(frozen=True, slots=True)
class MapRow:
    """The matrices of one layer by kind, which is the path below the layer."""

    layer: int
    cells: Mapping[str, MatrixCell]


@dataclass(frozen=True, slots=True)
class RecipeMap:
    """`outside` are the matrices outside of layers; `kinds` are the columns in order."""

    outside: tuple[MatrixCell, ...] = ()
    kinds: tuple[str, ...] = ()
    rows: tuple[MapRow, ...] = ()
    by_path: Mapping[str, MatrixCell] = field(default_factory=dict)


def recipe_map(placements: Iterable[ParameterPlacement]) -> RecipeMap:
    """Return the map, without vectors."""
    outside: list[MatrixCell] = []
    layers: dict[int, dict[str, MatrixCell]] = {}
    for placement in placements:
        if len(placement.parameter.shape) < 2:
            continue
        cell = _cell(placement)
        match = LAYER.search(placement.parameter.name)
        if match:
            kind = placement.parameter.path[match.end() :]
            layers.setdefault(int(match[1]), {})[kind] = cell
        else:
            outside.append(cell)
    kinds = sorted({kind for cells in layers.values() for kind in cells}, key=kind_order)
    rows = tuple(MapRow(layer, layers[layer]) for layer in sorted(layers))
    every = [*outside, *(cell for row in rows for cell in row.cells.values())]
    return RecipeMap(tuple(outside), tuple(kinds), rows, {cell.path: cell for cell in every})


def _cell(placement: ParameterPlacement) -> MatrixCell:
    form, path = placement.format, placement.parameter.path
    if form is None:
        bits = 8 * tensor_bytes(placement.dtype, (1,))
        return MatrixCell(path, bits, f"kept in {bits} bits", placement.reason)
    text = f"{form.title}: {placement.reason}" if placement.reason else form.title
    return MatrixCell(path, form.bits, text, format=form)
