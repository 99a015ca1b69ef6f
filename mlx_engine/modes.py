"""The quantization modes of MLX 0.32, one entry each. Whatever depends on a mode asks this table.

Values only: recipes, plans, conversions and descriptions of models all read it.
"""

from dataclasses import dataclass
from typing import Literal

ScaleType = Literal["float", "E8M0", "E4M3"]
"""Of a group's scale: the type of the model's own numbers, or a byte (OCP Microscaling Formats 1.0)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizationMode:
    """A way to store a matrix: packed weights, and a scale for each group of weights in a row.

    `bits` are those of a weight and `groups` the group sizes that MLX accepts, the usual size first.
    """

    name: str
    """In `mx.quantize` and in config.json."""
    title: str
    bits: tuple[int, ...]
    groups: tuple[int, ...]
    scale_type: ScaleType
    has_biases: bool
    """Each group has an offset as well, of the scale's type."""
    is_slow_on_cpu: bool
    """MLX's CPU backend needs 20 times a matrix's size to quantize it."""
    runs_as_published: bool = False
    """mlx-lm loads weights published with this `quant_method` (mlx-lm 0.32, `utils.load_model`)."""

    @property
    def is_fixed(self) -> bool:
        """There is one number of bits and one group size, so that the mode's title says everything."""
        return len(self.bits) == len(self.groups) == 1

    @property
    def has_byte_scales(self) -> bool:
        return self.scale_type != "float"

    @property
    def group_bits(self) -> int:
        """Bits of the scale and the offset of a group, in a model of 16-bit numbers."""
        return (8 if self.has_byte_scales else 16) * (1 + self.has_biases)

    @property
    def arrays(self) -> tuple[str, ...]:
        """Names of the arrays of a matrix, in the order in which MLX stores them."""
        return ("weight", "scales", "biases") if self.has_biases else ("weight", "scales")


AFFINE = QuantizationMode(
    name="affine",
    title="Affine",
    # One bit is legal in MLX, but of no use.
    bits=(2, 3, 4, 5, 6, 8),
    groups=(64, 32, 128),
    scale_type="float",
    has_biases=True,
    is_slow_on_cpu=False,
)
MXFP8 = QuantizationMode(
    name="mxfp8",
    title="MXFP8",
    bits=(8,),
    groups=(32,),
    scale_type="E8M0",
    has_biases=False,
    is_slow_on_cpu=True,
    runs_as_published=True,
)
NVFP4 = QuantizationMode(
    name="nvfp4",
    title="NVFP4",
    bits=(4,),
    groups=(16,),
    scale_type="E4M3",
    has_biases=False,
    is_slow_on_cpu=True,
)
MXFP4 = QuantizationMode(
    name="mxfp4",
    title="MXFP4",
    bits=(4,),
    groups=(32,),
    scale_type="E8M0",
    has_biases=False,
    is_slow_on_cpu=True,
    runs_as_published=True,
)


MODES = {mode.name: mode for mode in (AFFINE, MXFP8, NVFP4, MXFP4)}
"""By name; of the fixed modes, those with more bits first."""


def is_quantized(bits_per_weight: float) -> bool:
    """Return True for a model with fewer bits per weight than any in 16-bit floats has, vectors in FP8 included."""
    return bits_per_weight < 15


def is_legal_width(bits: int) -> bool:
    """Return True if weights of this many bits exist in any mode."""
    return any(bits in mode.bits for mode in MODES.values())
