"""What the quantized types of GGUF that MLX can hold as they are become there: bits, block and arrays.

A block of Q4_0, Q4_1 or Q8_0 is 32 weights of one row and their scale, which is what MLX calls affine quantization in
groups of 32: weight = scale * q + bias. Plain values: describing a file does without numpy.
"""

from dataclasses import dataclass

GROUP_SIZE = 32


@dataclass(frozen=True, slots=True)
class Packing:
    """How one quantized type is stored: the MLX bits, and the bytes of a block."""

    bits: int
    block_bytes: int


PACKINGS = {"Q4_0": Packing(4, 18), "Q4_1": Packing(4, 20), "Q8_0": Packing(8, 34)}
COPIED = ("F16", "BF16", "F32")
READABLE = (
    *PACKINGS,
    *COPIED,
    *("Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "MXFP4", "TQ2_0"),
)
"""What can be read as floats at least (`dequantize.py`)."""


def layout(stored_type: str, shape: tuple[int, ...]) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the safetensors type and shape of each array that a tensor becomes, by the end of its name."""
    if stored_type not in PACKINGS:
        return {"weight": (stored_type, shape)}
    *rows, columns = shape
    groups = (*rows, columns // GROUP_SIZE)
    packed = (*rows, columns * PACKINGS[stored_type].bits // 32)
    return {"weight": ("U32", packed), "scales": ("F16", groups), "biases": ("F16", groups)}
