"""Compares blocks of every type, weight by weight, with ggml's definition written as plain loops."""

import struct
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from mlx_engine.models.gguf.dequantize import DECODINGS, dequantize

_iq4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
_e2m1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6]


def _half(block: bytes, at: int) -> float:
    return float(struct.unpack_from("<e", block, at)[0])


def _q4_0(b: bytes) -> Iterator[float]:
    for i in range(32):
        yield _half(b, 0) * ((b[2 + i % 16] >> 4 * (i // 16) & 15) - 8)


def _q4_1(b: bytes) -> Iterator[float]:
    for i in range(32):
        yield _half(b, 0) * (b[4 + i % 16] >> 4 * (i // 16) & 15) + _half(b, 2)


def _q5_0(b: bytes) -> Iterator[float]:
    high = int.from_bytes(b[2:6], "little")
    for i in range(32):
        yield _half(b, 0) * ((b[6 + i % 16] >> 4 * (i // 16) & 15 | (high >> i & 1) << 4) - 16)


def _q5_1(b: bytes) -> Iterator[float]:
    high = int.from_bytes(b[4:8], "little")
    for i in range(32):
        yield _half(b, 0) * (b[8 + i % 16] >> 4 * (i // 16) & 15 | (high >> i & 1) << 4) + _half(b, 2)


def _q8_0(b: bytes) -> Iterator[float]:
    for quant in struct.unpack_from("<32b", b, 2):
        yield _half(b, 0) * quant


def _q2_k(b: bytes) -> Iterator[float]:
    for i in range(256):
        quant = b[16 + 32 * (i // 128) + i % 32] >> 2 * (i % 128 // 32) & 3
        yield _half(b, 80) * (b[i // 16] & 15) * quant - _half(b, 82) * (b[i // 16] >> 4)


def _q3_k(b: bytes) -> Iterator[float]:
    for i in range(256):
        sub = i // 16
        scale = (b[96 + sub % 8] >> 4 * (sub // 8) & 15) | (b[104 + sub % 4] >> 2 * (sub // 4) & 3) << 4
        quant = b[32 + 32 * (i // 128) + i % 32] >> 2 * (i % 128 // 32) & 3
        above = b[i % 32] >> i // 32 & 1
        yield _half(b, 108) * (scale - 32) * (quant - (0 if above else 4))


def _six_bits(b: bytes, sub: int) -> tuple[int, int]:
    """ggml's get_scale_min_k4; the scales start at byte 4."""
    if sub < 4:
        return b[4 + sub] & 63, b[8 + sub] & 63
    return b[8 + sub] & 15 | b[sub] >> 6 << 4, b[8 + sub] >> 4 | b[4 + sub] >> 6 << 4


def _q4_k(b: bytes) -> Iterator[float]:
    for i in range(256):
        scale, minimum = _six_bits(b, i // 32)
        quant = b[16 + 32 * (i // 64) + i % 32] >> 4 * (i % 64 // 32) & 15
        yield _half(b, 0) * scale * quant - _half(b, 2) * minimum


def _q5_k(b: bytes) -> Iterator[float]:
    for i in range(256):
        scale, minimum = _six_bits(b, i // 32)
        quant = b[48 + 32 * (i // 64) + i % 32] >> 4 * (i % 64 // 32) & 15 | (b[16 + i % 32] >> i // 32 & 1) << 4
        yield _half(b, 0) * scale * quant - _half(b, 2) * minimum


def _q6_k(b: bytes) -> Iterator[float]:
    scales = struct.unpack_from("<16b", b, 192)
    for i in range(256):
        half, rest = divmod(i, 128)
        low = b[64 * half + rest % 64] >> 4 * (rest // 64) & 15
        high = b[128 + 32 * half + rest % 32] >> 2 * (rest // 32) & 3
        yield _half(b, 208) * scales[i // 16] * ((low | high << 4) - 32)


def _iq4_nl(b: bytes) -> Iterator[float]:
    for i in range(32):
        yield _half(b, 0) * _iq4[b[2 + i % 16] >> 4 * (i // 16) & 15]


def _iq4_xs(b: bytes) -> Iterator[float]:
    high = int.from_bytes(b[2:4], "little")
    for i in range(256):
        sub = i // 32
        scale = (b[4 + sub // 2] >> 4 * (sub % 2) & 15) | (high >> 2 * sub & 3) << 4
        yield _half(b, 0) * (scale - 32) * _iq4[b[8 + 16 * sub + i % 16] >> 4 * (i % 32 // 16) & 15]


def _mxfp4(b: bytes) -> Iterator[float]:
    for i in range(32):
        yield _e2m1[b[1 + i % 16] >> 4 * (i // 16) & 15] * 2.0 ** (b[0] - 127)


def _tq2_0(b: bytes) -> Iterator[float]:
    for i in range(256):
        yield _half(b, 64) * ((b[32 * (i // 128) + i % 32] >> 2 * (i % 128 // 32) & 3) - 1)


def _tq1_0(b: bytes) -> Iterator[float]:
    for start, count, digits in ((0, 32, 5), (32, 16, 5), (48, 4, 4)):
        for digit in range(digits):
            for byte in b[start : start + count]:
                yield _half(b, 52) * ((byte * 3**digit % 256 * 3 >> 8) - 1)


# The reference decoder, and the offsets of the half-precision numbers in a block: random bits could make them infinite.
_scales_at: dict[str, tuple[Callable[[bytes], Iterator[float]], tuple[int, ...]]] = {
    "Q4_0": (_q4_0, (0,)),
    "Q4_1": (_q4_1, (0, 2)),
    "Q5_0": (_q5_0, (0,)),
    "Q5_1": (_q5_1, (0, 2)),
    "Q8_0": (_q8_0, (0,)),
    "Q2_K": (_q2_k, (80, 82)),
    "Q3_K": (_q3_k, (108,)),
    "Q4_K": (_q4_k, (0, 2)),
    "Q5_K": (_q5_k, (0, 2)),
    "Q6_K": (_q6_k, (208,)),
    "IQ4_NL": (_iq4_nl, (0,)),
    "IQ4_XS": (_iq4_xs, (0,)),
    "MXFP4": (_mxfp4, ()),
    "TQ2_0": (_tq2_0, (64,)),
    "TQ1_0": (_tq1_0, (52,)),
}


@pytest.mark.parametrize("kind", _scales_at)
def test_weights_of_random_blocks_match_ggmls_definition(kind: str) -> None:
    """Random bits cover the whole decoder, since every bit of a block is used.

    The loops compute in double precision, ggml and Facet in single: they differ by at most two roundings of the larger
    term.
    """
    reference, scales_at = _scales_at[kind]
    rng = np.random.default_rng(5)
    blocks = rng.integers(0, 256, (12, DECODINGS[kind].block_bytes), dtype=np.uint8)
    for at in scales_at:
        blocks[:, at : at + 2] = rng.uniform(-0.02, 0.02, (12, 1)).astype("<f2").view(np.uint8)
    if kind == "MXFP4":
        blocks[:, 0] = rng.integers(100, 140, 12)
    expected = np.array([list(reference(block.tobytes())) for block in blocks])
    weights = dequantize(blocks.reshape(4, -1), kind)
    assert weights.shape == (4, 3 * expected.shape[1])
    largest = np.abs(expected).max(axis=1, keepdims=True)
    assert (np.abs(weights.reshape(12, -1) - expected) <= 2**-22 * largest).all()


def test_plain_numbers_keep_their_values() -> None:
    """Types that are not quantized are only widened to float32."""
    values = np.array([[1.5, -0.25, 3.0, 1e-3]], np.float32)
    assert np.array_equal(dequantize(values.view(np.uint8), "F32"), values)
    half = values.astype("<f2")
    assert np.array_equal(dequantize(half.view(np.uint8), "F16"), half.astype(np.float32))
    bfloat = (values.view("<u4") >> 16).astype("<u2")
    assert np.array_equal(dequantize(bfloat.view(np.uint8), "BF16"), (bfloat.astype("<u4") << 16).view("<f4"))


def test_double_precision_is_rounded() -> None:
    values = np.array([[1 / 3, -2.5]])
    assert np.array_equal(dequantize(values.view(np.uint8), "F64"), values.astype(np.float32))


@pytest.mark.parametrize(
    ("kind", "scale_at"), [("IQ2_XXS", 0), ("IQ2_XS", 0), ("IQ2_S", 0), ("IQ3_XXS", 0), ("IQ3_S", 0), ("IQ1_S", 0)]
)
def test_weights_with_a_code_book_are_multiples_of_the_scale(kind: str, scale_at: int) -> None:
    """Twice the scale gives twice the weights; zero bits give entries of the book, which are not all the same."""
    rng = np.random.default_rng(5)
    blocks = rng.integers(0, 256, (4, DECODINGS[kind].block_bytes), dtype=np.uint8)
    weights = []
    for scale in (0.01, 0.02):
        blocks[:, scale_at : scale_at + 2] = np.full((4, 1), scale, "<f2").view(np.uint8)
        weights.append(dequantize(blocks, kind))
    assert weights[0].shape == (4, 256)
    assert np.allclose(weights[1] / weights[0], weights[1][0, 0] / weights[0][0, 0], rtol=1e-3)
    assert len(np.unique(np.abs(weights[0]))) > 10
