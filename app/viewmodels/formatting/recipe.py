"""Recipes and formats in words, short enough for a button and a folder's name."""

import re

from mlx_engine.quantize.recipes.recipe import Format, Recipe, Treatment

_usual_group = 64
_mode_names = {"mxfp4": "MXFP4", "nvfp4": "NVFP4", "mxfp8": "MXFP8"}
_plain_names = {"bf16": "bfloat16", "f16": "float16", "f32": "float32", "lossless": "Lossless"}


def treatment_in_words(treatment: Treatment) -> str:
    """Return what becomes of a matrix: "4-bit", "4-bit, groups of 32", "MXFP4", "kept"."""
    if treatment == "keep":
        return "kept"
    if treatment.mode != "affine":
        return _mode_names[treatment.mode]
    group = "" if treatment.group_size == _usual_group else f", groups of {treatment.group_size}"
    return f"{treatment.bits}-bit{group}"


def title(recipe: Recipe) -> str:
    """Return what a person calls the recipe."""
    if plain := _plain_names.get(recipe.name):
        return plain
    if _is_uniform(recipe):
        return treatment_in_words(recipe.default)
    if mixed := re.fullmatch(r"mixed_(\d)_(\d)", recipe.name):
        return f"Mixed {mixed[1]}/{mixed[2]}-bit"
    if own := re.fullmatch(r"balanced-(\d)", recipe.name):
        return f"Balanced {own[1]}-bit"
    return recipe.name


def suffix(recipe: Recipe) -> str:
    """Return how the name of a model ends that was made by the recipe, as is usual on the Hub: "4bit", "mxfp4"."""
    if _is_uniform(recipe) and isinstance(recipe.default, Format):
        form = recipe.default
        group = "" if form.group_size == _usual_group or form.mode != "affine" else f"-g{form.group_size}"
        return f"{form.bits}bit{group}" if form.mode == "affine" else form.mode
    return re.sub(r"[^A-Za-z0-9.]+", "-", recipe.name).strip("-.") or "quantized"


def _is_uniform(recipe: Recipe) -> bool:
    """Tell whether one of the built-in names says all."""
    is_built_in = re.fullmatch(r"affine-\d(-g\d+)?|mxfp4|nvfp4|mxfp8", recipe.name)
    return bool(is_built_in) and not recipe.rules and not recipe.tensors
