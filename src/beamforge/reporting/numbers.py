"""Numbers as people read them: no more digits than the interval supports, the interval beside the value."""

from __future__ import annotations

import math

from beamforge.errors import InputError

Interval = tuple[float, float]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_LARGEST_PLAIN = 1e6
_SMALLEST_PLAIN = 1e-4
_MOST_DECIMALS = 8
_TWO_DIGITS_BELOW = 3.55


def format_number(value: float, digits: int = 4) -> str:
    """Write a number with at most so many significant digits, very large or small ones as a power of ten.

    Parameters
    ----------
    value
        Any number; NaN and None-like values are the caller's to replace before.
    digits
        Significant digits; whole numbers below a million keep all of theirs.
    """
    if not math.isfinite(value):
        return str(value).replace("inf", "∞")
    if value == 0.0:
        return "0"
    size = abs(value)
    if _SMALLEST_PLAIN <= size < _LARGEST_PLAIN:
        if float(value).is_integer():
            return f"{value:,.0f}"
        text = _fixed(value, digits - 1 - math.floor(math.log10(size)))
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{_minus(mantissa)}\u202f×\u202f10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def format_value(value: float, interval: Interval | None = None, unit: str = "") -> str:
    """Write a value, its interval in brackets and its unit, such as ``0.953 [0.948, 0.957]``.

    The interval decides the decimals: its half width keeps two significant digits if it begins with 1 to 3.5, else
    one (the rule of the Particle Data Group). Without an interval the value has at most four.

    Parameters
    ----------
    value
        The figure.
    interval
        Its lower and upper end in the same unit.
    unit
        Empty, or ``1`` for a number without unit.

    Raises
    ------
    InputError
        If the interval's ends are in the wrong order.
    """
    after = "" if unit in ("", "1") else f" {unit}"
    if interval is None:
        return format_number(value) + after
    low, high = interval
    if not low <= high:
        raise InputError(f"interval [{low}, {high}] of {value}: the lower end comes first")
    half = (high - low) / 2
    largest = max(abs(low), abs(high), abs(value))
    if half == 0.0 or largest >= _LARGEST_PLAIN or largest < _SMALLEST_PLAIN:
        texts = [format_number(number) for number in (value, low, high)]
    else:
        exponent = math.floor(math.log10(half))
        decimals = (1 if half / 10.0**exponent < _TWO_DIGITS_BELOW else 0) - exponent
        texts = [_fixed(number, decimals) for number in (value, low, high)]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]{after}"


def _fixed(value: float, decimals: int) -> str:
    return _minus(f"{value:,.{min(max(decimals, 0), _MOST_DECIMALS)}f}")


def _minus(text: str) -> str:
    return text.replace("-", "−")
