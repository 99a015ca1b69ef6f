"""llama.cpp's names."""

import pytest

from mlx_engine.quantize.recipes.llamacpp import NAMES, nearest


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("Q4_0", "4bit-g32"),
        ("q8_0", "8bit-g32"),
        ("Q4_K_M", "balanced-4bit"),
        ("IQ4_XS", "4bit-g128"),
        ("UD-Q5_K_S", "5bit"),
        ("BF16", "bf16"),
    ],
)
def test_a_name_has_a_nearest_recipe(name: str, recipe: str) -> None:
    """Case is ignored, and Unsloth's prefixes are accepted."""
    match = nearest(name)

    assert match is not None
    assert match.recipe.name == recipe


def test_every_name_has_a_recipe_and_a_difference() -> None:
    """In complete sentences."""
    assert all((match := nearest(name)) and match.difference.endswith(".") for name in NAMES)


def test_other_names_have_no_recipe() -> None:
    """Facet's own names are not llama.cpp's."""
    assert nearest("balanced-4bit") is None
