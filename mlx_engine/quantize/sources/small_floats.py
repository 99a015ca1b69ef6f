"""Floating-point numbers of 4 and 8 bits, as tables of the value of each code.

E2M1, E4M3 and E5M2 are the bits of exponent and mantissa, E8M0 a bare power of two. Source: OCP Microscaling Formats
1.0 and OCP 8-bit Floating Point 1.0.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def _table(exponent_bits: int, mantissa_bits: int) -> Floats:
    """Return the value of every code of a signed format, ignoring special codes."""
    codes = np.arange(1 << (1 + exponent_bits + mantissa_bits))
    exponents = codes >> mantissa_bits & (1 << exponent_bits) - 1
    fractions = (codes & (1 << mantissa_bits) - 1) / (1 << mantissa_bits)
    bias = (1 << (exponent_bits - 1)) - 1
    values = np.where(exponents == 0, fractions * 2.0 ** (1 - bias), (1 + fractions) * 2.0 ** (exponents - bias))
    return np.where(codes >> (exponent_bits + mantissa_bits), -values, values).astype(np.float32)


def _e5m2() -> Floats:
    values = _table(5, 2)
    values[[0x7C, 0xFC]] = np.inf, -np.inf
    values[[0x7D, 0x7E, 0x7F, 0xFD, 0xFE, 0xFF]] = np.nan
    return values


def _e4m3() -> Floats:
    values = _table(4, 3)
    values[[0x7F, 0xFF]] = np.nan
    return values


def _e8m0() -> Floats:
    with np.errstate(over="ignore"):
        values = np.ldexp(np.float32(1), np.arange(256) - 127).astype(np.float32)
    values[0xFF] = np.nan
    return values


E2M1 = _table(2, 1)
E4M3 = _e4m3()
E5M2 = _e5m2()
E8M0 = _e8m0()
