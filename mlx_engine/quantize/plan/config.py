"""Writes the format of each matrix to config.json, so that mlx-lm and compatible programs can load the result.

Source: mlx-lm 0.32, `utils.load_model`, `utils.quantize_model`, `utils.save_config`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mlx_engine.quantize.plan.layout import ParameterPlacement
from mlx_engine.quantize.recipes.recipe import Format, Recipe

_dtype_fields = ("torch_dtype", "dtype")


def quantized_config(
    config: Mapping[str, Any], placements: Sequence[ParameterPlacement], recipe: Recipe
) -> dict[str, Any]:
    """Return config.json for the result of a conversion, sorted, from that of the original.

    "quantization" has the format of most matrices, and other formats by path; False is for matrices that could be
    quantized but are kept. "vision_config" is dropped with the vision tower, because programs rely on it.
    """
    left_out = {"_name_or_path", "quantization", "quantization_config"}
    if not any(placement.parameter.name.startswith("model.vision_tower.") for placement in placements):
        left_out.add("vision_config")
    result = {name: value for name, value in config.items() if name not in left_out}
    if recipe.dtype != "source":
        result = _with_dtype(result, recipe.dtype)
    if quantization := _quantization(placements, recipe):
        result |= {"quantization": quantization, "quantization_config": quantization}
    return dict(sorted(result.items()))


def _with_dtype(config: dict[str, Any], dtype: str) -> dict[str, Any]:
    """Return the configuration with `dtype` in all places that name a type."""
    changed: dict[str, Any] = {name: dtype for name in _dtype_fields if name in config}
    text = config.get("text_config")
    if isinstance(text, dict):
        changed["text_config"] = text | {name: dtype for name in _dtype_fields if name in text}
    return config | changed


def _quantization(placements: Sequence[ParameterPlacement], recipe: Recipe) -> dict[str, Any]:
    quantizable = (placement for placement in placements if placement.parameter.can_be_quantized)
    formats = {placement.parameter.path: placement.format for placement in quantizable}
    usual = _usual(placements, recipe)
    if usual is None:
        return {}
    differing = {path: _entry(form) if form else False for path, form in formats.items() if form != usual}
    return _entry(usual) | differing


def _usual(placements: Sequence[ParameterPlacement], recipe: Recipe) -> Format | None:
    """Return the recipe's default if any matrix has it, else the format of most weights; None if all are kept."""
    weights: Counter[Format] = Counter()
    for placement in placements:
        if placement.format:
            weights[placement.format] += placement.parameter.elements
    if recipe.default != "keep" and recipe.default in weights:
        return recipe.default
    return weights.most_common(1)[0][0] if weights else None


def _entry(form: Format) -> dict[str, Any]:
    return {"group_size": form.group_size, "bits": form.bits, "mode": form.mode}
