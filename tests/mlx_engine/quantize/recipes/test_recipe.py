"""Checks of recipes."""

import pytest

from mlx_engine.errors import InvalidRecipe
from mlx_engine.quantize.recipes.recipe import Format, Rule


@pytest.mark.parametrize(
    ("mode", "bits", "group", "legal"),
    [
        ("affine", 7, 64, "Use 2, 3, 4, 5, 6 or 8 bits and groups of 32, 64 or 128"),
        ("affine", 4, 16, "Use 2, 3, 4, 5, 6 or 8 bits and groups of 32, 64 or 128"),
        ("mxfp4", 8, 32, "Use 4 bits and groups of 32"),
        ("nvfp4", 4, 32, "Use 4 bits and groups of 16"),
        ("mxfp8", 8, 64, "Use 8 bits and groups of 32"),
    ],
)
def test_a_format_that_mlx_does_not_support_is_rejected_with_the_legal_values(
    mode: str, bits: int, group: int, legal: str
) -> None:
    """The message names the rejected format as well."""
    with pytest.raises(InvalidRecipe, match=rf"{mode} with {bits} bits and groups of {group}\. {legal}"):
        Format(mode, bits, group)


@pytest.mark.parametrize("layers", [(5, 3), (-1, 3)])
def test_an_invalid_range_of_layers_is_rejected(layers: tuple[int, int]) -> None:
    """Backwards, or from before the first."""
    with pytest.raises(InvalidRecipe, match="not a valid range"):
        Rule(layers=layers, treatment="keep")


def test_an_empty_kind_is_rejected() -> None:
    """It would match every matrix; a rule without kinds states that openly."""
    with pytest.raises(InvalidRecipe, match="A kind of matrix is empty"):
        Rule(kinds=("v_proj", ""), treatment="keep")
