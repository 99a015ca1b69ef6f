"""Forecasts the result of a conversion exactly, from the network's outline and the recipe alone."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlx_engine.amounts import format_disk
from mlx_engine.models.description import weights
from mlx_engine.models.description.bit_map import LayerBits, bit_map
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.description.weights import Precision, Weight, plain_weight
from mlx_engine.models.files.safetensors import TensorEntry, header_bytes, tensor_bytes
from mlx_engine.quantize.plan.layout import ParameterPlacement, layout, rule_matcher
from mlx_engine.quantize.plan.outline import Dropped, Outline
from mlx_engine.quantize.plan.shards import into_shards
from mlx_engine.quantize.recipes.recipe import Recipe


@dataclass(frozen=True, slots=True)
class ConversionForecast:
    """The result of converting one model by one recipe."""

    recipe: Recipe
    size_bytes: int
    """Of the weight files, exactly, including headers."""
    files: int
    """The number of weight files."""
    weights_bytes: int
    """Of the packed weights in memory."""
    half_bytes: int
    """Of these, the part in 16-bit floats."""
    parameters: int
    quantization: str
    """As the library will show it: "4-bit g64", "mixed 4/6-bit g64"."""
    unquantized: tuple[tuple[str, str], ...]
    """Paths that stay in floating point although the recipe would quantize them, each with the reason."""
    bits: tuple[LayerBits, ...]
    """The bits of each layer, as for a model on the disk."""
    distinct_bits: tuple[int, ...]
    """Of the matrices, without scales, the most common first."""
    dropped: tuple[Dropped, ...]
    notes: tuple[str, ...]
    """Sentences about anything that the name of the recipe does not suggest."""

    @property
    def bits_per_weight(self) -> float:
        """Bits of all tensors, including scales, per parameter."""
        return 8 * self.weights_bytes / self.parameters

    def describe(self, source: ModelDescription) -> ModelDescription:
        """Return the description of the result, for `memory.fit`; its path and license are the source's."""
        return dataclasses.replace(
            source,
            parameters=self.parameters,
            bits_per_weight=self.bits_per_weight,
            quantization=self.quantization,
            size_bytes=self.size_bytes,
            format="safetensors",
            bits=self.distinct_bits,
            loaded_bytes=self.weights_bytes,
            loaded_half_bytes=self.half_bytes,
            loaded_parameters=self.parameters,
        )


def forecast(outline: Outline, recipe: Recipe) -> ConversionForecast:
    """Forecast the conversion of the network by `recipe`.

    Raises:
        InvalidRecipe: the recipe names a matrix or a layer that the model does not have.
    """
    return forecast_of(layout(outline, recipe), outline, recipe)


def forecast_of(placements: Sequence[ParameterPlacement], outline: Outline, recipe: Recipe) -> ConversionForecast:
    """Forecast the conversion from its layout."""
    arrays = [item for placement in placements for item in placement.arrays.items()]
    shards = into_shards(arrays)
    headers = sum(header_bytes(shard.arrays) for shard in shards)
    stored = [_weight(placement) for placement in placements]
    data = sum(weight.size_bytes for weight in stored)
    return ConversionForecast(
        recipe=recipe,
        size_bytes=headers + data,
        files=len(shards),
        weights_bytes=data,
        half_bytes=sum(tensor_bytes(*array) for _, array in arrays if array[0] in ("F16", "BF16")),
        parameters=sum(weight.parameters for weight in stored),
        quantization=weights.format_precision(stored),
        unquantized=tuple(
            (placement.parameter.path, placement.reason)
            for placement in placements
            if placement.reason and placement.format is None
        ),
        bits=bit_map(stored),
        distinct_bits=weights.distinct_bits(stored),
        dropped=outline.dropped,
        notes=(*_unused_rules(outline, recipe), *_exceptions(placements), *map(_loss, outline.dropped)),
    )


def _weight(placement: ParameterPlacement) -> Weight:
    """Return the weight as it will be read from the disk."""
    parameter, form = placement.parameter, placement.format
    if form is None:
        return plain_weight(parameter.name, TensorEntry(placement.dtype, parameter.shape, 0, placement.size_bytes))
    precision = Precision(form.mode, form.bits, form.group_size)
    return Weight(parameter.path, parameter.elements, placement.size_bytes, precision, is_matrix=True)


def _unused_rules(outline: Outline, recipe: Recipe) -> Iterator[str]:
    """Report rules that match nothing: those for other models, or with a misspelled kind."""
    paths = [parameter.path for parameter in outline.parameters if len(parameter.shape) > 1]
    for number, rule in enumerate(recipe.rules):
        if not any(map(rule_matcher(rule, outline, number), paths)):
            yield f"The recipe's rule for {' and '.join(rule.kinds) or 'all'} matches no matrix of this model."


def _exceptions(placements: Sequence[ParameterPlacement]) -> Iterator[str]:
    """Report matrices with a format that the architecture prescribes."""
    paths = [placement.parameter.path for placement in placements if placement.reason and placement.format]
    if paths:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield f"The architecture prescribes a different format for {paths[0]}{more}."


def _loss(dropped: Dropped) -> str:
    return f"{dropped.prefix} ({format_disk(dropped.size_bytes)}) is dropped: {dropped.reason}."
