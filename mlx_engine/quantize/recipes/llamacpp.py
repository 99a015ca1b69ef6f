"""What llama.cpp calls its quantizations, the recipe that comes nearest to each, and what differs.

Bits per weight are those of llama.cpp's blocks (ggml-common.h) and of MLX's groups with 16-bit scales.
"""

from dataclasses import dataclass

from mlx_engine.quantize.recipes.builtin import recipe
from mlx_engine.quantize.recipes.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Nearest:
    """`name` is llama.cpp's, `difference` says in a sentence or two how the recipe differs from it."""

    name: str
    recipe: Recipe
    difference: str


_offset = "MLX keeps an offset beside each scale: half a bit a weight more, and somewhat closer to the original."
_same = "The same: a scale and an offset for each 32 weights."
_k = (
    "The same size. llama.cpp has groups of 32 weights whose scales are quantized too; MLX has groups of 64 with "
    "16-bit scales."
)
_mixture = (
    "More bits go to the same places, the head, the values and half of the down-projections, and here to the keys as "
    "well. The groups are of 64 weights instead of 32 or 16."
)
_low_mixture = (
    "MLX's lowest bits lose more, so that only gate and up-projections between the outer layers have them, and all "
    "else has 4 and more: no smaller, mostly larger."
)
_grid = "MLX has no tables of values, so that the same bits lose more."
_vector = "MLX has no tables of weight patterns, so that it is larger and loses more."

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
        "The head has 8 bits in both; here keys, values and half of the down-projections do as well.",
    ),
    "Q5_1": ("5bit-g32", _same),
    "Q5_0": ("5bit-g32", _offset),
    "Q5_K": ("balanced-5bit", _mixture),
    "Q5_K_M": ("balanced-5bit", _mixture),
    "Q5_K_S": ("5bit", _k),
    "Q4_1": ("4bit-g32", _same),
    "Q4_0": ("4bit-g32", _offset + " A GGUF file in Q4_0 is taken over as it is."),
    "Q4_K": ("balanced-4bit", _mixture),
    "Q4_K_M": ("balanced-4bit", _mixture),
    "Q4_K_S": ("4bit", _k),
    "Q4_K_L": ("balanced-4bit", "The head has 6 bits instead of 8, the values have 8 instead of 6."),
    "Q4_K_XL": ("balanced-4bit", "llama.cpp's is chosen layer by layer with measurements; this one by rules."),
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
    "IQ1_M": ("2bit-g128", "MLX has nothing of use below 2 bits."),
    "IQ1_S": ("2bit-g128", "MLX has nothing of use below 2 bits."),
    "TQ2_0": ("2bit-g128", "Weights that know only three values lose nothing in either."),
    "TQ1_0": (
        "2bit-g128",
        "Weights that know only three values lose nothing in either; MLX takes 2 bits for them.",
    ),
    "MXFP4": ("mxfp4", "The same format, for all matrices instead of only those of the experts."),
    "MXFP4_MOE": ("mxfp4", "The same format, for all matrices instead of only those of the experts."),
    "NVFP4": ("nvfp4", "The same format, without a scale for each whole matrix."),
}

NAMES = tuple(_nearest)
"""llama.cpp's names, the most bits first."""


def nearest(name: str) -> Nearest | None:
    """Return what comes nearest to llama.cpp's `name`, in any letters: "Q4_K_M", "q8_0", "UD-Q4_K_XL".

    None if llama.cpp has no such name either.
    """
    known = name.upper().removeprefix("UD-")
    if known not in _nearest:
        return None
    nearest_name, difference = _nearest[known]
    return Nearest(known, recipe(nearest_name), difference)
