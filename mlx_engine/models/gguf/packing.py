"""MLX layouts of the GGUF types that convert without loss: bits, block size and arrays.

A block of Q4_0, Q4_1 or Q8_0 has 32 weights of one row and their scale. This is the same as MLX's affine quantization
with groups of 32: weight = scale * q + bias. Does not use numpy, so that describing a file
does not import it.
"""

from dataclasses import dataclass

GROUP_SIZE = 32


@dataclass(frozen=True, slots=True)
class Packing:
    """One quantized type: its bits in MLX, and the bytes of a GGUF block."""

    bits: int
    block_bytes: int


PACKINGS = {"Q4_0": Packing(4, 18), "Q4_1": Packing(4, 20), "Q8_0": Packing(8, 34)}
COPIED = ("F16", "BF16", "F32")
READABLE = (
    *PACKINGS,
    *COPIED,
    *("Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4", "TQ2_0"),
    *("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "TQ1_0", "NVFP4", "F64"),
)
"""The types that can be read as floats (`dequantize.py`)."""


def layout(stored_type: str, shape: tuple[int, ...]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the safetensors type and shape of each array of a converted tensor, keyed by name suffix."""
    if stored_type not in PACKINGS:
        return {"weight": (stored_type, shape)}
    *rows, columns = shape
    groups = (*rows, columns // GROUP_SIZE)
    packed = (*rows, columns * PACKINGS[stored_type].bits // 32)
    return {"weight": ("U32", packed), "scales": ("F16", groups), "biases": ("F16", groups)}
