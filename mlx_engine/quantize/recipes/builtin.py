"""The recipes that Facet brings along."""

import difflib
import re
from typing import Literal

from mlx_engine.errors import InvalidRecipe
from mlx_engine.quantize.recipes.recipe import Format, Mode, Recipe, Rule

_mlx_lm_values = ("v_proj", "v_a_proj", "v_b_proj")
_values = (".v_proj", ".kv_a_proj")
_narrowing = ("down_proj", ".w2", ".fc2")
_widening = (
    "up_proj",
    "mlp.gate_proj",
    "feed_forward.gate_proj",
    "expert.gate_proj",
    "experts.gate_proj",
    ".w1",
    ".w3",
    ".fc1",
)
"""Not every gate_proj: some routers are called so too (Bailing's mlp.gate.gate_proj)."""
_fused = ("qkv", "query_key_value", ".c_attn")
"""Queries, keys and values in one matrix: too large to give it what the values alone get."""
_uniform = {
    8: "Hardly to be told from the original, at half of its size in 16 bits.",
    6: "Losses too small to notice, at two fifths of the size in 16 bits.",
    5: "Small losses, at a third of the size in 16 bits.",
    4: "For everyday use, at a good quarter of the size in 16 bits; every matrix is treated alike.",
    3: "Strong losses, at a fifth of the size in 16 bits: only for large models.",
    2: "For weights that know only three values, at a sixth of the size in 16 bits; others suffer heavily.",
}
_groups = {
    32: " Small groups: closer to the original, and somewhat larger.",
    64: "",
    128: " Large groups: smaller, and further from the original.",
}


def _whole(name: str, dtype: Literal["bfloat16", "float16", "float32"], purpose: str) -> Recipe:
    return Recipe(name=name, purpose=purpose, default="keep", dtype=dtype)


def _affine(bits: int, group: int) -> Recipe:
    return Recipe(
        name=f"affine-{bits}-g{group}",
        purpose=_uniform[bits] + _groups[group],
        default=Format(bits=bits, group_size=group),
    )


def _micro_scaled(mode: Mode, bits: int, group: int, purpose: str) -> Recipe:
    return Recipe(name=mode, purpose=purpose, default=Format(mode=mode, bits=bits, group_size=group))


def _mlx_lm(low: int, high: int) -> Recipe:
    """Source: mlx-lm 0.32, `convert.mixed_quant_predicate_builder`; the architecture's own wishes go unheard there."""
    more = Format(bits=high)
    return Recipe(
        name=f"mixed_{low}_{high}",
        purpose=f"As mlx-lm mixes: {low} bits, and {high} for the head and some values and down-projections.",
        default=Format(bits=low),
        rules=(
            Rule(kinds=_mlx_lm_values, layers="outer and every third", treatment=more),
            Rule(kinds=("down_proj",), layers="outer and every third", treatment=more),
            Rule(kinds=("lm_head",), treatment=more),
        ),
        follows_architecture=False,
    )


def _balanced(bits: int, purpose: str, *, head: int, values: int, keys: int, down: int) -> Recipe:
    """More bits where an error weighs most; docs/decisions/0010-mixed-recipes.md has the figures."""
    return Recipe(
        name=f"balanced-{bits}",
        purpose=purpose,
        default=Format(bits=bits),
        rules=(
            Rule(kinds=("head",), treatment=Format(bits=head)),
            Rule(kinds=_values, treatment=Format(bits=values)),
            Rule(kinds=(".k_proj",), treatment=Format(bits=keys)),
            Rule(kinds=(*_narrowing, *_fused), layers="outer and every third", treatment=Format(bits=down)),
        ),
    )


def _low(bits: int, purpose: str) -> Recipe:
    """Few bits only for the matrices that widen, most of a network's weights, and 4 and more for all else."""
    more = Format(bits=4)
    return Recipe(
        name=f"balanced-{bits}",
        purpose=purpose,
        default=more,
        rules=(
            Rule(kinds=("head",), treatment=Format(bits=6)),
            Rule(kinds=_values, treatment=Format(bits=6)),
            Rule(kinds=_widening, layers="outer", treatment=more),
            Rule(kinds=_widening, treatment=Format(bits=bits)),
        ),
    )


RECIPES: tuple[Recipe, ...] = (
    _balanced(4, "For everyday use, at three tenths of the size in 16 bits.", head=6, values=8, keys=6, down=5),
    _balanced(5, "Small losses, at a good third of the size in 16 bits.", head=6, values=8, keys=6, down=6),
    _balanced(6, "Next to no losses, at less than half of the size in 16 bits.", head=8, values=8, keys=8, down=8),
    _low(3, "For models that just do not fit in 4 bits: a little smaller, noticeable losses."),
    _low(2, "For mixtures of experts that are too large otherwise: heavy losses."),
    *(_affine(bits, group) for bits in _uniform for group in _groups),
    _micro_scaled("mxfp8", 8, 32, "8-bit floats with a shared scale: half the size of 16 bits, very small losses."),
    _micro_scaled("nvfp4", 4, 16, "4-bit floats in small groups, for models that were trained in this format."),
    _micro_scaled("mxfp4", 4, 32, "4-bit floats, for models that were trained in this format, such as gpt-oss."),
    *(_mlx_lm(low, high) for low, high in ((2, 6), (3, 4), (3, 6), (4, 6))),
    Recipe(
        name="lossless",
        purpose="For models that are quantized already: every weight stays what it is, where MLX has a format for it.",
        default="keep",
        keeps_stored=True,
    ),
    _whole("bf16", "bfloat16", "Nothing is lost where the original is in bfloat16, as most are."),
    _whole("f16", "float16", "Half precision for all: for Macs with an M1 or M2, which are slower in bfloat16."),
    _whole("f32", "float32", "Full precision: for measuring, and for models without a half-precision original."),
)
"""In the order in which people should see them."""

_by_name = {recipe.name: recipe for recipe in RECIPES} | {f"affine-{bits}": _affine(bits, 64) for bits in _uniform}


def recipe(name: str) -> Recipe:
    """Return the recipe of that name; affine-4 is short for affine-4-g64.

    Raises:
        InvalidRecipe: there is none.
    """
    if found := _by_name.get(name):
        return found
    raise InvalidRecipe(f'There is no recipe "{name}". {_hint(name)}')


def _hint(name: str) -> str:
    if re.match(r"(UD-)?(I|T)?Q\d", name.upper()):
        return "That is one of llama.cpp's names: `facet recipes --llama-cpp` says what comes nearest to it."
    near = difflib.get_close_matches(name.lower(), _by_name, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else "`facet recipes` lists them."
