"""The table of quantization modes: a mode added to it is known everywhere."""

import pytest

from app.viewmodels.quantize.recipe_cards import MICROSCALING, group_of
from app.viewmodels.quantize.recipe_map import MatrixCell
from app.views.kit.theme import Theme
from app.views.quantize.palette import TreatmentPalette
from mlx_engine.cli.recipes import format_bits
from mlx_engine.errors import InvalidRecipe
from mlx_engine.models.description import weights
from mlx_engine.models.files.safetensors import TensorEntry
from mlx_engine.modes import MODES, QuantizationMode
from mlx_engine.quantize.plan.forecast import forecast
from mlx_engine.quantize.plan.layout import layout
from mlx_engine.quantize.recipes.recipe import Format, Recipe, fixed_format
from mlx_engine.quantize.recipes.recipe_file import decode_recipe, encode_recipe
from tests.outlines import matrix, only

MXFP6 = QuantizationMode(
    name="mxfp6",
    title="MXFP6",
    bits=(6,),
    groups=(32,),
    scale_type="E8M0",
    has_biases=False,
    is_slow_on_cpu=True,
)
OUTLINE = only(matrix("layers.0.mlp.up_proj", 64, 128))


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A recipe in a mode that MLX does not have, entered in the table and nowhere else."""
    monkeypatch.setitem(MODES, MXFP6.name, MXFP6)
    form = fixed_format(MXFP6)
    return Recipe(name=form.key, title=form.title, default=form)


def test_its_recipes_can_be_read_and_written(recipe: Recipe) -> None:
    assert decode_recipe(encode_recipe(recipe), "mine.json") == recipe


def test_its_illegal_formats_are_rejected(recipe: Recipe) -> None:
    with pytest.raises(InvalidRecipe, match=r"mxfp6 with 4 bits .* Use 6 bits and groups of 32"):
        Format("mxfp6", 4, 32)


def test_it_has_a_key_a_title_and_a_group_of_cards(recipe: Recipe) -> None:
    assert (recipe.name, recipe.title, group_of(recipe)) == ("mxfp6", "MXFP6", MICROSCALING)


def test_its_size_is_forecast_to_the_byte(recipe: Recipe) -> None:
    """Six bits a weight, and a byte for each group of 32."""
    (placement,) = layout(OUTLINE, recipe)
    assert placement.arrays == {
        "layers.0.mlp.up_proj.weight": ("U32", (64, 24)),
        "layers.0.mlp.up_proj.scales": ("U8", (64, 4)),
    }
    assert forecast(OUTLINE, recipe).bits_per_weight == 6.25
    assert format_bits(recipe) == "6.25"


def test_its_models_are_described(recipe: Recipe) -> None:
    tensors = {
        "layers.0.mlp.up_proj.weight": TensorEntry("U32", (64, 24), 0, 64 * 96),
        "layers.0.mlp.up_proj.scales": TensorEntry("U8", (64, 4), 64 * 96, 64 * 100),
    }
    config = {"quantization": {"mode": "mxfp6", "bits": 6, "group_size": 32}}
    stored = list(weights.read_weights(tensors, config))
    assert stored[0].parameters == 64 * 128
    assert weights.format_precision(stored) == "mxfp6 g32"


def test_the_palette_offers_it(qapp: object, recipe: Recipe) -> None:
    palette = TreatmentPalette(Theme())
    palette.show_selection([MatrixCell("layers.0.mlp.up_proj", 16, "")])
    treatments: list[object] = []
    palette.chosen.connect(treatments.append)
    palette.fixed_choices["mxfp6"].click()
    assert treatments == [recipe.default]
