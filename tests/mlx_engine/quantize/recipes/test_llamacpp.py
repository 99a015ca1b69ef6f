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
def test_a_name_leads_to_the_nearest_recipe(name: str, recipe: str) -> None:
    """In small letters as well, and as Unsloth writes it."""
    found = nearest(name)

    assert found is not None
    assert found.recipe.name == recipe


def test_every_name_leads_somewhere_and_says_what_differs() -> None:
    """In whole sentences."""
    assert all((found := nearest(name)) and found.difference.endswith(".") for name in NAMES)


def test_other_names_lead_nowhere() -> None:
    """Facet's own are not llama.cpp's."""
    assert nearest("balanced-4bit") is None
