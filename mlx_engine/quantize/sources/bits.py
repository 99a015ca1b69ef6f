"""Small numbers packed into words as a stream of bits, the lowest first, as in rows of MLX and GPTQ."""

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


def unpack(packed_words: NDArray[np.generic], bits: int) -> Bytes:
    """Return the numbers in rows of words [..., words] as [..., numbers]."""
    row = np.ascontiguousarray(packed_words).view(np.uint8)
    if bits == 8:
        return row
    if bits in (2, 4):
        shifts = np.arange(0, 8, bits, dtype=np.uint8)
        pieces: Bytes = row[..., None] >> shifts & np.uint8((1 << bits) - 1)
        return pieces.reshape(*row.shape[:-1], -1)
    stream = np.unpackbits(row, axis=-1, bitorder="little")
    numbers = stream[..., : stream.shape[-1] // bits * bits].reshape(*row.shape[:-1], -1, bits)
    return np.packbits(numbers, axis=-1, bitorder="little")[..., 0]


def pack(numbers: Bytes, bits: int) -> NDArray[np.uint32]:
    """Return rows of numbers [..., numbers] as words [..., words]; a row must fill whole words."""
    if bits in (2, 4):
        pieces = numbers.reshape(*numbers.shape[:-1], -1, 8 // bits)
        shifts = np.arange(0, 8, bits, dtype=np.uint8)
        row: Bytes = np.bitwise_or.reduce(pieces << shifts, axis=-1)
        return np.ascontiguousarray(row).view(np.uint32)
    stream = np.unpackbits(np.ascontiguousarray(numbers)[..., None], axis=-1, bitorder="little")[..., :bits]
    row = np.packbits(stream.reshape(*numbers.shape[:-1], -1), axis=-1, bitorder="little")
    return np.ascontiguousarray(row).view(np.uint32)
