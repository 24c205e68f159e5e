"""Caps on declared sizes, and one kind of error for files that cannot be read."""

from __future__ import annotations

import contextlib
import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from beamforge.errors import InputError

GIB = 2**30

LAZY_CAP = 64 * GIB
"""Most bytes an array opened lazily may declare, unless the caller says otherwise."""

EAGER_CAP = 4 * GIB
"""Most bytes that are decoded in one piece: a whole PNG, a label image, one chunk."""

DAMAGE: tuple[type[Exception], ...] = (
    OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError, EOFError, MemoryError,
    AssertionError, SyntaxError, struct.error, zlib.error,
)  # fmt: skip
"""What decoders raise when they meet a damaged file; they are not built to tell damage from other errors."""


def readable_size(count: float) -> str:
    """Write a number of bytes as text, such as ``7.1 MiB``."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} PiB"


def check_size(source: str, shape: Sequence[int], dtype: np.dtype, cap: int) -> None:
    """Refuse an array that declares more bytes than `cap`, before anything of it is read.

    Raises
    ------
    InputError
        With the declared shape and what to do if it is right.
    """
    declared = math.prod(int(side) for side in shape) * dtype.itemsize
    sides = "×".join(str(side) for side in shape)
    if declared > cap:
        raise InputError(
            f"{source} declares {sides} {dtype} values, {readable_size(declared)}, more than the limit of "
            f"{readable_size(cap)}; the file may be damaged or crafted; if it is right, pass max_bytes={declared}"
        )
    if not declared:
        raise InputError(f"{source} holds an array of {sides or 'no'} pixels, expected an image; check the file")


def check_dtype(source: str, dtype: np.dtype) -> None:
    """Refuse values that are not real numbers.

    Raises
    ------
    InputError
        For complex numbers, text and structures.
    """
    if dtype.kind == "c":
        raise InputError(f"{source} holds complex values ({dtype}); save magnitude and phase as two channels")
    if dtype.kind not in "uifb":
        raise InputError(f"{source} holds values of type {dtype}, expected integers or floats")


@contextlib.contextmanager
def damage_named(source: str | Path, what: str, *more: type[Exception]) -> Iterator[None]:
    """Turn whatever a decoder raises into an `InputError` that names the file.

    Parameters
    ----------
    source
        The file, and the place inside it.
    what
        What it was read as, such as ``"TIFF"``.
    *more
        What else this decoder raises.
    """
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"{source}: no such file; check the path") from error
    except PermissionError as error:
        raise InputError(f"{source}: not allowed to read it; check its permissions") from error
    except (*DAMAGE, *more) as error:
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise InputError(
            f"{source} cannot be read as {what} ({reason}); it is truncated, damaged or of a kind that is not "
            "supported; copy it again or convert it"
        ) from error
