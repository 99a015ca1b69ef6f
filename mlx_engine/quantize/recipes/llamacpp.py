"""llama.cpp's quantizations, each with the nearest recipe and the difference.

Bits per weight are those of llama.cpp's blocks (ggml-common.h) and of MLX's groups with 16-bit scales.
"""

from dataclasses import dataclass

from mlx_engine.quantize.recipes.builtin import recipe
from mlx_engine.quantize.recipes.recipe import Recipe


@dataclass(frozen=True, slots=True)
class NearestRecipe:
    """The recipe nearest to llama.cpp's `name`; `difference` is a sentence or two."""

    name: str
    recipe: Recipe
    difference: str


_offset = "MLX stores an offset with each scale: half a bit per weight more, and slightly closer to the original."
_same = "The same: a scale and an offset for each 32 weights."
_k = "The same size. llama.cpp has groups of 32 weights with quantized scales; MLX has groups of 64 with 16-bit scales."
_mixture = (
    "More bits for the same matrices (head, values and half of the down-projections), and for the keys as well. Groups "
    "have 64 weights instead of 32 or 16."
)
_low_mixture = (
    "MLX loses more at the fewest bits, so only gate and up-projections between the outer layers have them. Other "
    "matrices have 4 bits or more, so the model is usually larger."
)
_grid = "MLX has no lookup tables of values, so the same bits lose more."
_vector = "MLX has no lookup tables of weight patterns, so the model is larger and loses more."

_nearest = {
    "F32": ("fp32", "The same."),
    "F16": ("fp16", "The same."),
    "BF16": ("bf16", "The same."),
    "Q8_0": ("8bit-g32", _offset),
    "Q6_K": (
        "6bit",
        "The same size. llama.cpp has groups of 16 weights without offsets; MLX has groups of 64 with offsets.",
    ),
    "Q6_K_L": (
        "balanced-6bit",
        "The head has 8 bits in both; here also keys, values and half of the down-projections.",
    ),
    "Q5_1": ("5bit-g32", _same),
    "Q5_0": ("5bit-g32", _offset),
    "Q5_K": ("balanced-5bit", _mixture),
    "Q5_K_M": ("balanced-5bit", _mixture),
    "Q5_K_S": ("5bit", _k),
    "Q4_1": ("4bit-g32", _same),
    "Q4_0": ("4bit-g32", _offset + " A GGUF file in Q4_0 is imported unchanged."),
    "Q4_K": ("balanced-4bit", _mixture),
    "Q4_K_M": ("balanced-4bit", _mixture),
    "Q4_K_S": ("4bit", _k),
    "Q4_K_L": ("balanced-4bit", "The head has 6 bits instead of 8, the values have 8 instead of 6."),
    "Q4_K_XL": ("balanced-4bit", "llama.cpp's bits are chosen layer by layer from measurements, these by rules."),
    "IQ4_NL": ("4bit", f"The same size. {_grid}"),
    "IQ4_XS": ("4bit-g128", f"The same size. {_grid}"),
    "Q3_K": ("balanced-3bit", _low_mixture),
    "Q3_K_L": ("balanced-3bit", _low_mixture),
    "Q3_K_M": ("balanced-3bit", _low_mixture),
    "Q3_K_S": (
        "3bit",
        "About the same size. llama.cpp has groups of 16 weights without offsets; MLX has groups of 64 with offsets.",
    ),
    "IQ3_M": ("balanced-3bit", _low_mixture),
    "IQ3_S": ("3bit", _vector),
    "IQ3_XS": ("3bit-g128", _vector),
    "IQ3_XXS": ("3bit-g128", _vector),
    "Q2_K": ("balanced-2bit", _low_mixture),
    "Q2_K_S": ("2bit", "llama.cpp has groups of 16 weights, and gives more bits to the values."),
    "IQ2_M": ("balanced-2bit", _low_mixture),
    "IQ2_S": ("2bit", _vector),
    "IQ2_XS": ("2bit-g128", _vector),
    "IQ2_XXS": ("2bit-g128", _vector),
    "IQ1_M": ("2bit-g128", "MLX has no useful format below 2 bits."),
    "IQ1_S": ("2bit-g128", "MLX has no useful format below 2 bits."),
    "TQ2_0": ("2bit-g128", "Ternary weights lose nothing in either."),
    "TQ1_0": (
        "2bit-g128",
        "Ternary weights lose nothing in either; MLX needs 2 bits for them.",
    ),
    "MXFP4": ("mxfp4", "The same format, for all matrices instead of only the experts."),
    "MXFP4_MOE": ("mxfp4", "The same format, for all matrices instead of only the experts."),
    "NVFP4": ("nvfp4", "The same format, without a scale for the whole matrix."),
}

NAMES = tuple(_nearest)
"""llama.cpp's names, the most bits first."""


def nearest(name: str) -> NearestRecipe | None:
    """Return the recipe nearest to llama.cpp's `name`, in any case: "Q4_K_M", "q8_0", "UD-Q4_K_XL".

    None if llama.cpp has no such name.
    """
    name = name.upper().removeprefix("UD-")
    if name not in _nearest:
        return None
    key, difference = _nearest[name]
    return NearestRecipe(name, recipe(key), difference)
