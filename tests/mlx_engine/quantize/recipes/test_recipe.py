"""Recipes as values: which can be, and which cannot."""

import pytest

from mlx_engine.errors import InvalidRecipe
from mlx_engine.quantize.recipes.recipe import Format, Rule


@pytest.mark.parametrize(
    ("mode", "bits", "group", "legal"),
    [
        ("affine", 7, 64, "affine has 2, 3, 4, 5, 6 or 8 bits in groups of 32, 64 or 128"),
        ("affine", 4, 16, "affine has 2, 3, 4, 5, 6 or 8 bits in groups of 32, 64 or 128"),
        ("mxfp4", 8, 32, "mxfp4 has 4 bits in groups of 32"),
        ("nvfp4", 4, 32, "nvfp4 has 4 bits in groups of 16"),
        ("mxfp8", 8, 64, "mxfp8 has 8 bits in groups of 32"),
    ],
)
def test_a_format_that_mlx_does_not_know_is_refused_with_the_legal_ones(
    mode: str, bits: int, group: int, legal: str
) -> None:
    """The sentence names what was asked for as well."""
    with pytest.raises(InvalidRecipe, match=rf"{mode} with {bits} bits in groups of {group} is not possible\. {legal}"):
        Format(mode, bits, group)  # type: ignore[arg-type]


@pytest.mark.parametrize("layers", [(5, 3), (-1, 3)])
def test_layers_that_are_no_range_are_refused(layers: tuple[int, int]) -> None:
    """Backwards, or from before the first."""
    with pytest.raises(InvalidRecipe, match="are no range"):
        Rule(layers=layers, treatment="keep")


def test_an_empty_kind_is_refused() -> None:
    """It would meet every matrix, which no kinds at all do openly."""
    with pytest.raises(InvalidRecipe, match="A kind of matrix is empty"):
        Rule(kinds=("v_proj", ""), treatment="keep")
