"""A recipe: the treatment of a model's weights as a value, readable and writable as JSON.

Knows no model: `quantize.plan.layout` matches its rules to matrices.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from mlx_engine.errors import InvalidRecipe
from mlx_engine.modes import AFFINE, MODES, QuantizationMode


class Format(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The stored form of a quantized matrix: `bits` per weight, and a scale for every `group_size` weights of a row.

    Raises:
        InvalidRecipe: MLX does not support the combination.
    """

    mode: str = AFFINE.name
    bits: int = 4
    group_size: int = AFFINE.groups[0]

    def __post_init__(self) -> None:
        mode = MODES.get(self.mode)
        if mode is None:
            raise InvalidRecipe(f'"{self.mode}" is not a quantization mode of MLX. Use {_either(MODES)}.')
        if self.bits not in mode.bits or self.group_size not in mode.groups:
            raise InvalidRecipe(
                f"MLX does not support {self.mode} with {self.bits} bits and groups of {self.group_size}. "
                f"Use {_either(mode.bits)} bits and groups of {_either(sorted(mode.groups))}."
            )

    @property
    def key(self) -> str:
        """The format as part of a name, by the custom of the Hub: "4bit", "4bit-g32", "mxfp4"."""
        mode = MODES[self.mode]
        return mode.name if mode.is_fixed else f"{self.bits}bit{self._group(mode, '-')}"

    @property
    def title(self) -> str:
        """The format as the window shows it: "4-bit", "4-bit g32", "MXFP4"."""
        mode = MODES[self.mode]
        return mode.title if mode.is_fixed else f"{self.bits}-bit{self._group(mode, ' ')}"

    def _group(self, mode: QuantizationMode, separator: str) -> str:
        return "" if self.group_size == mode.groups[0] else f"{separator}g{self.group_size}"


def fixed_format(mode: QuantizationMode) -> Format:
    """Return the only format of a fixed mode."""
    (bits,), (group_size,) = mode.bits, mode.groups
    return Format(mode.name, bits, group_size)


def _either(choices: Iterable[object]) -> str:
    *most, last = map(str, choices)
    return f"{', '.join(most)} or {last}" if most else last


Treatment = Format | Literal["keep"]
"""A format to quantize a matrix to, or "keep" for floating point."""

Layers = Literal["all", "outer", "outer and every third"]
"""A choice of layers. "outer" are the first and the last eighth; with every third of those between, these are the
layers to which llama.cpp gives more bits in its _M mixtures (llama.cpp, `use_more_bits`)."""

Dtype = Literal["source", "bfloat16", "float16", "float32"]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The treatment of the matrices in `layers` whose path contains one of `kinds` ("v_proj", "lm_head"), or of all.

    Two kinds go by the purpose of a matrix: "embeddings", under any name, and "head", which includes embeddings that
    are tied to it.

    Raises:
        InvalidRecipe: a kind is empty, or the range of layers is not valid.
    """

    kinds: tuple[str, ...] = ()
    layers: Layers | tuple[int, int] = "all"
    """A name, or the first and the last layer, counted from 0."""
    treatment: Treatment

    def __post_init__(self) -> None:
        if not all(self.kinds):
            raise InvalidRecipe("A kind of matrix is empty. Give a part of a path, such as v_proj.")
        if isinstance(self.layers, tuple) and not 0 <= self.layers[0] <= self.layers[1]:
            first, last = self.layers
            raise InvalidRecipe(f"The layers {first} to {last} are not a valid range. Layers are counted from 0.")


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The treatment of every matrix of a model.

    The first of these applies: the entry in `tensors`; the first matching rule; the architecture's own choice, if
    `follows_architecture` and the default is a format; `default`.
    """

    name: str
    """The key: on the command line, in plans and in names of folders ("balanced-4bit"), unique among recipes."""
    title: str = ""
    """The name in the window ("Balanced 4-bit"); the key without one."""
    purpose: str = ""
    """In one sentence."""
    default: Treatment
    dtype: Dtype = "source"
    """Of unquantized weights and of scales."""
    rules: tuple[Rule, ...] = ()
    tensors: dict[str, Treatment] = {}
    """By the path of the matrix, without ".weight"."""
    follows_architecture: bool = True
    """Give matrices that mlx-lm's file of the architecture singles out, mostly routers, the format stated there."""
    keeps_stored: bool = False
    """Keep matrices quantized that the source has in a format of MLX, instead of unpacking them."""

    def __post_init__(self) -> None:
        if not self.title:
            msgspec.structs.force_setattr(self, "title", self.name)

    @property
    def unnamed(self) -> "Recipe":
        """The same treatment without names, to compare recipes by effect."""
        return msgspec.structs.replace(self, name="", title="", purpose="")
