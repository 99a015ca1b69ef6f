"""The built-in recipes.

A recipe's key is its title in lower case, without spaces or punctuation other than hyphens (docs/decisions/0021): the
card "Balanced 4-bit" is `--recipe balanced-4bit`, and its models are called Name-balanced-4bit.
"""

import difflib
import re
from typing import Literal

from mlx_engine.errors import InvalidRecipe
from mlx_engine.modes import AFFINE, MXFP4, MXFP8, NVFP4, QuantizationMode
from mlx_engine.quantize.recipes.recipe import Format, Recipe, Rule, fixed_format

_mlx_lm_values = ("v_proj", "v_a_proj", "v_b_proj")
_values = (".v_proj", ".kv_a_proj")
_down_projections = ("down_proj", ".w2", ".fc2")
_up_projections = (
    "up_proj",
    "mlp.gate_proj",
    "feed_forward.gate_proj",
    "expert.gate_proj",
    "experts.gate_proj",
    ".w1",
    ".w3",
    ".fc1",
)
"""Not every gate_proj: some routers use that name too (Bailing's mlp.gate.gate_proj)."""
_fused = ("qkv", "query_key_value", ".c_attn")
"""Queries, keys and values in one matrix, which is too large for the bits that values alone get."""
_purposes = {
    8: "Practically identical to the original, at about 53% of the 16-bit size.",
    6: "Losses too small to notice, at about 41% of the 16-bit size.",
    5: "Small losses, at about 34% of the 16-bit size.",
    4: "For everyday use, at about 28% of the 16-bit size. Treats all matrices the same.",
    3: "Large losses, at about 22% of the 16-bit size. For large models only.",
    2: "For ternary weights, at about 16% of the 16-bit size. Heavy losses for other models.",
}
_group_remarks = {
    64: "",
    32: " Small groups: closer to the original, and slightly larger.",
    128: " Large groups: smaller, and less accurate.",
}


def _unquantized(title: str, dtype: Literal["bfloat16", "float16", "float32"], purpose: str) -> Recipe:
    return Recipe(name=title.lower(), title=title, purpose=purpose, default="keep", dtype=dtype)


def _uniform(form: Format, purpose: str) -> Recipe:
    return Recipe(name=form.key, title=form.title, purpose=purpose, default=form)


def _affine(bits: int, group: int) -> Recipe:
    return _uniform(Format(AFFINE.name, bits, group), _purposes[bits] + _group_remarks[group])


def _microscaled(mode: QuantizationMode, purpose: str) -> Recipe:
    return _uniform(fixed_format(mode), purpose)


def _mlx_lm(low: int, high: int) -> Recipe:
    """Return mlx-lm's mixed recipe of that name, which overrides the architecture's own choices.

    Source: mlx-lm 0.32, `convert.mixed_quant_predicate_builder`.
    """
    more = Format(bits=high)
    return Recipe(
        name=f"mixed_{low}_{high}",
        title=f"Mixed {low}/{high}",
        purpose=f"mlx-lm's mixture: {low} bits, and {high} for the head and some values and down-projections.",
        default=Format(bits=low),
        rules=(
            Rule(kinds=_mlx_lm_values, layers="outer and every third", treatment=more),
            Rule(kinds=("down_proj",), layers="outer and every third", treatment=more),
            Rule(kinds=("lm_head",), treatment=more),
        ),
        follows_architecture=False,
    )


def _balanced(bits: int, purpose: str, *, head: int, values: int, keys: int, down: int) -> Recipe:
    """Give more bits where an error costs most; docs/decisions/0010-mixed-recipes.md has the figures."""
    return Recipe(
        name=f"balanced-{bits}bit",
        title=f"Balanced {bits}-bit",
        purpose=purpose,
        default=Format(bits=bits),
        rules=(
            Rule(kinds=("head",), treatment=Format(bits=head)),
            Rule(kinds=_values, treatment=Format(bits=values)),
            Rule(kinds=(".k_proj",), treatment=Format(bits=keys)),
            Rule(kinds=(*_down_projections, *_fused), layers="outer and every third", treatment=Format(bits=down)),
        ),
    )


def _low(bits: int, purpose: str) -> Recipe:
    """Give few bits to up- and gate-projections, which hold most of the weights, and 4 or more to all others."""
    more = Format(bits=4)
    return Recipe(
        name=f"balanced-{bits}bit",
        title=f"Balanced {bits}-bit",
        purpose=purpose,
        default=more,
        rules=(
            Rule(kinds=("head",), treatment=Format(bits=6)),
            Rule(kinds=_values, treatment=Format(bits=6)),
            Rule(kinds=_up_projections, layers="outer", treatment=more),
            Rule(kinds=_up_projections, treatment=Format(bits=bits)),
        ),
    )


RECIPES: tuple[Recipe, ...] = (
    _balanced(4, "For everyday use, at about 30% of the 16-bit size.", head=6, values=8, keys=6, down=5),
    _balanced(5, "Small losses, at about 35% of the 16-bit size.", head=6, values=8, keys=6, down=6),
    _balanced(6, "Almost no losses, at less than half of the 16-bit size.", head=8, values=8, keys=8, down=8),
    _low(3, "For models that are slightly too large in 4 bits: a little smaller, with noticeable losses."),
    _low(2, "For mixture-of-experts models that do not fit otherwise: heavy losses."),
    *(_affine(bits, group) for bits in _purposes for group in _group_remarks),
    _microscaled(MXFP8, "8-bit floats with a shared scale: about half the 16-bit size, very small losses."),
    _microscaled(NVFP4, "4-bit floats in small groups, for models that were trained in this format."),
    _microscaled(MXFP4, "4-bit floats, for models that were trained in this format, such as gpt-oss."),
    *(_mlx_lm(low, high) for low, high in ((2, 6), (3, 4), (3, 6), (4, 6))),
    Recipe(
        name="lossless",
        title="Lossless",
        purpose="For models that are already quantized: keeps every weight unchanged where MLX has a format for it.",
        default="keep",
        keeps_stored=True,
    ),
    _unquantized("BF16", "bfloat16", "Lossless for originals in bfloat16, as most are."),
    _unquantized("FP16", "float16", "Half precision, for Macs with an M1 or M2, which are slower in bfloat16."),
    _unquantized("FP32", "float32", "Full precision, for measuring and for models without a half-precision original."),
)
"""In the order in which users see them."""

_by_name = {recipe.name: recipe for recipe in RECIPES}


def recipe(name: str) -> Recipe:
    """Return the built-in recipe with the key `name`.

    Raises:
        InvalidRecipe: there is none.
    """
    if name in _by_name:
        return _by_name[name]
    raise InvalidRecipe(f'Unknown recipe "{name}". {_hint(name)}')


def _hint(name: str) -> str:
    if re.match(r"(UD-)?(I|T)?Q\d", name.upper()):
        return "llama.cpp uses names like this. `facet recipes --llama-cpp` lists the nearest recipes."
    near = difflib.get_close_matches(name.lower(), _by_name, n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(near)}?" if near else "`facet recipes` lists all recipes."
