"""Says what a conversion will give, before anything runs: a pure function of the network's outline and the recipe."""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlx_engine.amounts import format_disk
from mlx_engine.models.description import weights
from mlx_engine.models.description.bit_map import LayerBits, bit_map
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.description.weights import Precision, Weight, plain_weight
from mlx_engine.models.files.safetensors import TensorEntry, header_bytes, tensor_bytes
from mlx_engine.quantize.plan.layout import ParameterPlacement, layout, meaning
from mlx_engine.quantize.plan.outline import Dropped, Outline
from mlx_engine.quantize.plan.shards import into_shards
from mlx_engine.quantize.recipes.recipe import Recipe


@dataclass(frozen=True, slots=True)
class ConversionForecast:
    """What the conversion of one model by one recipe will give."""

    recipe: Recipe
    size_bytes: int
    """Of the weight files, to the byte, headers included."""
    files: int
    """How many weight files there will be."""
    weights_bytes: int
    """What the weights take in memory, packed as they are."""
    half_bytes: int
    """Of these, what is stored in 16-bit floats."""
    parameters: int
    quantization: str
    """For people, as the library will say it: "4-bit g64", "mixed 4/6-bit g64"."""
    kept: tuple[tuple[str, str], ...]
    """Paths of what stays in floating point although the recipe would quantize it, and why."""
    bits: tuple[LayerBits, ...]
    """The map of layers and matrices, as of a model on the disk."""
    distinct_bits: tuple[int, ...]
    """In which matrices are stored, without scales, the commonest first."""
    dropped: tuple[Dropped, ...]
    notes: tuple[str, ...]
    """Sentences about what the recipe's name does not let one expect."""

    @property
    def bits_per_weight(self) -> float:
        """The true ones: bits of all tensors, scales included, for each parameter."""
        return 8 * self.weights_bytes / self.parameters

    def describe(self, source: ModelDescription) -> ModelDescription:
        """Return what the library will say of the result, for `memory.fit`; its path and license are the source's."""
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
    """Say what converting the network by `recipe` will give.

    Raises:
        InvalidRecipe: the recipe names a matrix or a layer that the model does not have.
    """
    return forecast_of(layout(outline, recipe), outline, recipe)


def forecast_of(placements: Sequence[ParameterPlacement], outline: Outline, recipe: Recipe) -> ConversionForecast:
    """Say the same of a layout that is known already."""
    arrays = [item for placement in placements for item in placement.arrays.items()]
    shards = into_shards(arrays)
    headers = sum(header_bytes(shard.arrays) for shard in shards)
    found = [_weight(placement) for placement in placements]
    data = sum(weight.size_bytes for weight in found)
    return ConversionForecast(
        recipe=recipe,
        size_bytes=headers + data,
        files=len(shards),
        weights_bytes=data,
        half_bytes=sum(tensor_bytes(*array) for _, array in arrays if array[0] in ("F16", "BF16")),
        parameters=sum(weight.parameters for weight in found),
        quantization=weights.format_precision(found),
        kept=tuple((one.parameter.path, one.reason) for one in placements if one.reason and one.format is None),
        bits=bit_map(found),
        distinct_bits=weights.distinct_bits(found),
        dropped=outline.dropped,
        notes=(*_idle_rules(outline, recipe), *_wishes(placements), *map(_loss, outline.dropped)),
    )


def _weight(placement: ParameterPlacement) -> Weight:
    """Return the weight as it will be read from the disk."""
    parameter, form = placement.parameter, placement.format
    if form is None:
        return plain_weight(parameter.name, TensorEntry(placement.dtype, parameter.shape, 0, placement.size_bytes))
    precision = Precision(form.mode, form.bits, form.group_size)
    return Weight(parameter.path, parameter.elements, placement.size_bytes, precision, is_matrix=True)


def _idle_rules(outline: Outline, recipe: Recipe) -> Iterator[str]:
    """Say which rules meet nothing: of a recipe for other models, or with a name that is misspelt."""
    paths = [parameter.path for parameter in outline.parameters if len(parameter.shape) > 1]
    for number, rule in enumerate(recipe.rules):
        if not any(map(meaning(rule, outline, number), paths)):
            yield f"The recipe's rule for {' and '.join(rule.kinds) or 'all'} meets no matrix of this model."


def _wishes(placements: Sequence[ParameterPlacement]) -> Iterator[str]:
    """Say what is quantized in another way because the architecture wants it."""
    paths = [placement.parameter.path for placement in placements if placement.reason and placement.format]
    if paths:
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield f"As its architecture wants, {paths[0]}{more} get a format of their own."


def _loss(dropped: Dropped) -> str:
    return f"{dropped.prefix} ({format_disk(dropped.size_bytes)}) is left out: {dropped.reason}."
