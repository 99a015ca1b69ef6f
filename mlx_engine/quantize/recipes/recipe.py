"""What is to become of a model's weights, as a value: readable and writable as JSON.

It knows no model. Which of its rules meets which matrix, `layout.py` says.
"""

from typing import Literal

import msgspec

from mlx_engine.errors import InvalidRecipe

Mode = Literal["affine", "mxfp4", "nvfp4", "mxfp8"]

_legal: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "affine": ((2, 3, 4, 5, 6, 8), (32, 64, 128)),
    "mxfp4": ((4,), (32,)),
    "nvfp4": ((4,), (16,)),
    "mxfp8": ((8,), (32,)),
}
"""The bits and the group sizes that MLX 0.32 knows, by mode. Affine in one bit is legal there, and useless."""


class Format(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a quantized matrix is stored: `bits` for each weight, and scales for each `group_size` weights of a row.

    Raises:
        InvalidRecipe: MLX does not know the combination.
    """

    mode: Mode = "affine"
    bits: int = 4
    group_size: int = 64

    def __post_init__(self) -> None:
        bits, groups = _legal[self.mode]
        if self.bits not in bits or self.group_size not in groups:
            raise InvalidRecipe(
                f"{self.mode} with {self.bits} bits in groups of {self.group_size} is not possible. {self.mode} has "
                f"{_either(bits)} bits in groups of {_either(groups)}."
            )


def _either(numbers: tuple[int, ...]) -> str:
    *most, last = map(str, numbers)
    return f"{', '.join(most)} or {last}" if most else last


Treatment = Format | Literal["keep"]
"""What becomes of a matrix: a format, or it is kept in floating point."""

Layers = Literal["all", "outer", "outer and every third"]
"""Which layers: "outer" are the first and the last eighth. With every third of those between, they are the layers to
which llama.cpp gives more bits in its _M mixtures (llama.cpp, `use_more_bits`)."""

Dtype = Literal["source", "bfloat16", "float16", "float32"]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of the matrices in `layers` whose path has one of `kinds` in it: "v_proj", "lm_head"; none: all.

    Two kinds go by what a matrix does: "embeddings", whatever they are called, and "head", which are the embeddings
    too where they are tied to it.

    Raises:
        InvalidRecipe: a kind is empty, or the layers are no range.
    """

    kinds: tuple[str, ...] = ()
    layers: Layers | tuple[int, int] = "all"
    """A name, or the first and the last layer, counted from 0."""
    treatment: Treatment

    def __post_init__(self) -> None:
        if not all(self.kinds):
            raise InvalidRecipe("A kind of matrix is empty. It is a part of a path, such as v_proj.")
        if isinstance(self.layers, tuple) and not 0 <= self.layers[0] <= self.layers[1]:
            first, last = self.layers
            raise InvalidRecipe(f"The layers from {first} to {last} are no range. Layers are counted from 0.")


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What becomes of each matrix: what `tensors` says of it, else the first rule that meets it, else what the
    architecture wants for it where `follows_architecture`, else `default`. Where the default is to keep, what the
    architecture wants is not asked: its wishes are for what is quantized.
    """

    name: str
    purpose: str = ""
    """What it is for, in a sentence."""
    default: Treatment
    dtype: Dtype = "source"
    """Of what stays unquantized, and of the scales."""
    rules: tuple[Rule, ...] = ()
    tensors: dict[str, Treatment] = {}
    """By the path of the matrix, without ".weight"."""
    follows_architecture: bool = True
    """Whether matrices that mlx-lm's file of the architecture singles out (routers, mostly) get what it says."""
    keeps_stored: bool = False
    """Whether matrices that are kept stay quantized as they are where the source has them in a format of MLX."""
