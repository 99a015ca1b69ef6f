"""Converts rows of GGUF blocks of any common type to float32, exactly as ggml does.

A block has 32 weights of one row or, in the K types, 256 in sub-blocks with a small scale each. Layout of the blocks
and arithmetic: ggml, ggml-common.h and ggml-quants.c. The types with code books (IQ1 to IQ3), and some rare ones, are
decoded by llama.cpp's own package, which is slower.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

# ggml-common.h, kvalues_iq4nl and kvalues_mxfp4 (halved here).
_iq4_values = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32)
_e2m1_values = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)


@dataclass(frozen=True, slots=True)
class Decoding:
    """The decoder of one type: `decode` converts blocks [blocks, bytes] to [blocks, weights]."""

    block_weights: int
    block_bytes: int
    decode: Callable[[Bytes], Floats]


def dequantize(rows: Bytes, type_name: str) -> Floats:
    """Return the weights of `rows` [rows, bytes of a row] as [rows, columns]; `type_name` is one of DECODINGS."""
    decoding = DECODINGS[type_name]
    blocks = np.ascontiguousarray(rows).reshape(-1, decoding.block_bytes)
    # A damaged scale can be NaN or infinite; the caller checks the weights for that.
    with np.errstate(invalid="ignore", over="ignore"):
        return decoding.decode(blocks).reshape(len(rows), -1)


def row_bytes(type_name: str, columns: int) -> int:
    """Return the size in bytes of a row of `columns` weights."""
    decoding = DECODINGS[type_name]
    return columns // decoding.block_weights * decoding.block_bytes


def _bf16(blocks: Bytes) -> Floats:
    return (blocks.view("<u2").astype(np.uint32) << 16).view(np.float32)


def _half(blocks: Bytes, at: int) -> Floats:
    """Return the float16 at byte `at` of each block, as [blocks, 1]."""
    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2").astype(np.float32)


def _halves(quants: Bytes) -> Bytes:
    """Return the low nibbles of each row of bytes [blocks, 16], followed by the high nibbles."""
    return np.concatenate([quants & 15, quants >> 4], axis=1)


def _crumbs(quants: Bytes, bits: int, run: int) -> Bytes:
    """Unpack numbers of `bits` each. Each run of `run` bytes yields the lowest bits of all its bytes, then the next."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)[:, None]
    pieces = quants.reshape(len(quants), -1, 1, run) >> shifts
    return (pieces & np.uint8((1 << bits) - 1)).reshape(len(quants), -1)


def _fifth_bits(blocks: Bytes, at: int) -> Bytes:
    return np.unpackbits(blocks[:, at : at + 4], axis=1, bitorder="little") << np.uint8(4)


def _q4_0(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * (_halves(blocks[:, 2:]).astype(np.float32) - 8)


def _q4_1(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * _halves(blocks[:, 4:]) + _half(blocks, 2)


def _q5_0(blocks: Bytes) -> Floats:
    quants = _halves(blocks[:, 6:]) | _fifth_bits(blocks, 2)
    return _half(blocks, 0) * (quants.astype(np.float32) - 16)


def _q5_1(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * (_halves(blocks[:, 8:]) | _fifth_bits(blocks, 4)) + _half(blocks, 2)


def _q8_0(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * blocks[:, 2:].view(np.int8)


def _q2_k(blocks: Bytes) -> Floats:
    """Decode 16 sub-blocks of 16: 4 bits of scale, 4 of minimum, 2 per weight."""
    scales = _half(blocks, 80) * (blocks[:, :16] & 15)
    minima = _half(blocks, 82) * (blocks[:, :16] >> 4)
    return _in_sub_blocks(_crumbs(blocks[:, 16:80], 2, 32), scales, minima)


def _q3_k(blocks: Bytes) -> Floats:
    """Decode 16 sub-blocks of 16: 6 bits of scale, 3 per weight. The third bit is stored apart; if 0, it counts -4."""
    packed = blocks[:, 96:108]
    low = np.concatenate([packed[:, :8] & 15, packed[:, :8] >> 4], axis=1)
    scales = low | _crumbs(packed[:, 8:], 2, 4) << 4
    quants = _crumbs(blocks[:, 32:96], 2, 32) | _crumbs(blocks[:, :32], 1, 32) << 2
    return _in_sub_blocks(quants.view(np.int8) - np.int8(4), _half(blocks, 108) * (scales.view(np.int8) - np.int8(32)))


def _q4_k(blocks: Bytes) -> Floats:
    """Decode 8 sub-blocks of 32: 6 bits of scale, 6 of minimum, 4 per weight."""
    return _in_sub_blocks(_crumbs(blocks[:, 16:], 4, 32), *_six_bit_scales(blocks))


def _q5_k(blocks: Bytes) -> Floats:
    """Decode as Q4_K, with the fifth bits of all weights stored first."""
    quants = _crumbs(blocks[:, 48:], 4, 32) | _crumbs(blocks[:, 16:48], 1, 32) << 4
    return _in_sub_blocks(quants, *_six_bit_scales(blocks))


def _q6_k(blocks: Bytes) -> Floats:
    """Decode 16 sub-blocks of 16: 8 bits of scale, 6 per weight, the low 4 and the high 2 stored apart."""
    quants = _crumbs(blocks[:, :128], 4, 64) | _crumbs(blocks[:, 128:192], 2, 32) << 4
    return _in_sub_blocks(quants.view(np.int8) - np.int8(32), _half(blocks, 208) * blocks[:, 192:208].view(np.int8))


def _six_bit_scales(blocks: Bytes) -> tuple[Floats, Floats]:
    """Return the scales and the minima of Q4_K and Q5_K [blocks, 8].

    The first four of each are the low 6 bits of bytes 0 to 3 and 4 to 7. The other four have their low 4 bits in bytes
    8 to 11 and their high 2 bits in the top bits of bytes 0 to 7.
    """
    first, second, third = blocks[:, 4:8], blocks[:, 8:12], blocks[:, 12:16]
    scales = np.concatenate([first & 63, third & 15 | first >> 6 << 4], axis=1)
    minima = np.concatenate([second & 63, third >> 4 | second >> 6 << 4], axis=1)
    return _half(blocks, 0) * scales, _half(blocks, 2) * minima


def _in_sub_blocks(quants: NDArray[np.generic], scales: Floats, minima: Floats | None = None) -> Floats:
    """Return scale * quant - minimum, with one scale and minimum [blocks, sub-blocks] per sub-block."""
    weights: Floats = scales[..., None] * quants.reshape(*scales.shape, -1).astype(np.float32)
    if minima is not None:
        weights -= minima[..., None]
    return weights.reshape(len(quants), -1)


def _iq4_nl(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * _iq4_values[_halves(blocks[:, 2:])]


def _iq4_xs(blocks: Bytes) -> Floats:
    """Decode 8 sub-blocks of 32: 6 bits of scale (4 and 2 stored apart), 4 per weight that index a table."""
    low = np.stack([blocks[:, 4:8] & 15, blocks[:, 4:8] >> 4], axis=2).reshape(-1, 8)
    high = np.ascontiguousarray(blocks[:, 2:4]).view("<u2") >> np.arange(0, 16, 2, dtype=np.uint16) & 3
    scales = _half(blocks, 0) * ((low | high.astype(np.uint8) << 4).view(np.int8) - np.int8(32))
    return _in_sub_blocks(_iq4_values[_crumbs(blocks[:, 8:], 4, 16)], scales)


def _mxfp4(blocks: Bytes) -> Floats:
    weights: Floats = np.ldexp(_e2m1_values[_halves(blocks[:, 1:])], blocks[:, :1].astype(np.int32) - 127)
    return weights


def _tq2_0(blocks: Bytes) -> Floats:
    """Decode ternary weights: 2 bits per weight, one scale per 256."""
    return _half(blocks, 64) * (_crumbs(blocks[:, :64], 2, 32).view(np.int8) - np.int8(1))


def _by_package(type_name: str) -> Callable[[Bytes], Floats]:
    def decode(blocks: Bytes) -> Floats:
        from gguf.constants import GGMLQuantizationType  # noqa: PLC0415 - needed for few files
        from gguf.quants import dequantize as decode_rows  # noqa: PLC0415

        rows: Floats = decode_rows(blocks, GGMLQuantizationType[type_name])
        return rows

    return decode


DECODINGS = {
    "F32": Decoding(1, 4, lambda blocks: blocks.view("<f4")),
    "F16": Decoding(1, 2, lambda blocks: blocks.view("<f2").astype(np.float32)),
    "BF16": Decoding(1, 2, _bf16),
    "Q4_0": Decoding(32, 18, _q4_0),
    "Q4_1": Decoding(32, 20, _q4_1),
    "Q5_0": Decoding(32, 22, _q5_0),
    "Q5_1": Decoding(32, 24, _q5_1),
    "Q8_0": Decoding(32, 34, _q8_0),
    "Q2_K": Decoding(256, 84, _q2_k),
    "Q3_K": Decoding(256, 110, _q3_k),
    "Q4_K": Decoding(256, 144, _q4_k),
    "Q5_K": Decoding(256, 176, _q5_k),
    "Q6_K": Decoding(256, 210, _q6_k),
    "IQ4_NL": Decoding(32, 18, _iq4_nl),
    "IQ4_XS": Decoding(256, 136, _iq4_xs),
    "MXFP4": Decoding(32, 17, _mxfp4),
    "TQ2_0": Decoding(256, 66, _tq2_0),
    "IQ1_S": Decoding(256, 50, _by_package("IQ1_S")),
    "IQ1_M": Decoding(256, 56, _by_package("IQ1_M")),
    "IQ2_XXS": Decoding(256, 66, _by_package("IQ2_XXS")),
    "IQ2_XS": Decoding(256, 74, _by_package("IQ2_XS")),
    "IQ2_S": Decoding(256, 82, _by_package("IQ2_S")),
    "IQ3_XXS": Decoding(256, 98, _by_package("IQ3_XXS")),
    "IQ3_S": Decoding(256, 110, _by_package("IQ3_S")),
    "TQ1_0": Decoding(256, 54, _by_package("TQ1_0")),
    "NVFP4": Decoding(64, 36, _by_package("NVFP4")),
    "F64": Decoding(1, 8, lambda blocks: blocks.view("<f8").astype(np.float32)),
}
"""All readable types by their ggml names."""
