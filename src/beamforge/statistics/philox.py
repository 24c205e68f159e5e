"""Normal random numbers from a counter, so that any part of a field can be drawn by itself in any order.

Philox4x32-10 (Salmon et al., SC'11) turns a 128-bit counter and a 64-bit key into four random words without any
state. A word becomes a normal number through a table of the normal quantile function whose cells halve in width from
each octave of the probability to the next, so that the tails are as exact as the middle, out to 6.2 standard
deviations. The words are integers and the rest is one multiplication and one sum in a written order: the same bytes
on every processor.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from beamforge.arrays import Float32
from beamforge.statistics.compiled import compiled, inlined

Words = NDArray[np.uint32]

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
_HALF = np.uint64(32)
_BLOCK = 1024
_BITS = 6
_SHIFT = 23 - _BITS
_REST = (1 << _SHIFT) - 1
_STEP = np.float32(1.0 / (1 << _SHIFT))
_FIRST = 127 << _BITS


def _quantile_table() -> Float32:
    """Normal quantiles at the probabilities u/2³² for u = 2^octave (1 + cell/64), from the tail to the median."""
    octaves = 2.0 ** np.arange(31)[:, None] * (1.0 + np.arange(1 << _BITS) / (1 << _BITS))
    # Two zeros close the table: a float rounds the largest magnitudes up to 2³¹, the median itself.
    return np.append(-ndtri(octaves.ravel() / 2.0**32), [0.0, 0.0]).astype(np.float32)


NORMAL_TABLE: Float32 = _quantile_table()


@inlined
def philox(
    c0: np.uint32, c1: np.uint32, c2: np.uint32, c3: np.uint32, k0: np.uint32, k1: np.uint32
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """Turn counter and key into four random words."""
    for _ in range(10):
        product0 = _M0 * np.uint64(c0)
        product1 = _M1 * np.uint64(c2)
        high0, low0 = np.uint32(product0 >> _HALF), np.uint32(product0)
        high1, low1 = np.uint32(product1 >> _HALF), np.uint32(product1)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0 = np.uint32(k0 + _W0)
        k1 = np.uint32(k1 + _W1)
    return c0, c1, c2, c3


@compiled
def fill_normals(out: Float32, key: Words, stream: int, part: int) -> None:
    """Fill an array with independent standard normal numbers.

    Parameters
    ----------
    out
        Contiguous array to fill.
    key
        (2,) the key.
    stream, part
        Words of the counter that tell this array from others filled with the same key.
    """
    flat = out.ravel()
    k0, k1, c2, c3 = key[0], key[1], np.uint32(part), np.uint32(stream)
    words = np.empty(_BLOCK, np.uint32)
    magnitudes = np.empty(_BLOCK, np.float32)
    bits = magnitudes.view(np.int32)
    quarter = _BLOCK // 4
    for block in range((flat.size + _BLOCK - 1) // _BLOCK):
        for i in range(quarter):
            a, b, c, d = philox(np.uint32(i), np.uint32(block), c2, c3, k0, k1)
            words[i] = a
            words[quarter + i] = b
            words[2 * quarter + i] = c
            words[3 * quarter + i] = d
        for i in range(_BLOCK):
            # The lowest bit is the sign; the others, with a 1 in its place, are the distance from 0 in probability.
            magnitudes[i] = np.float32(np.int32((words[i] >> np.uint32(1)) | np.uint32(1)))
        target = flat[block * _BLOCK : min((block + 1) * _BLOCK, flat.size)]
        for i in range(target.size):
            # Exponent and leading digits of a float are the octave and the cell.
            cell = (bits[i] >> _SHIFT) - _FIRST
            rest = np.float32(bits[i] & _REST) * _STEP
            z = NORMAL_TABLE[cell] + rest * (NORMAL_TABLE[cell + 1] - NORMAL_TABLE[cell])
            target[i] = z if words[i] & np.uint32(1) else -z
