"""From the values or colours of a mask to class numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beamforge.errors import InputError
from beamforge.io.metadata import as_classes
from beamforge.io.rois import IGNORED
from beamforge.stack import IGNORE, Classes

_HEX = re.compile(r"^#?([0-9a-fA-F]{6})$")
_SHOWN = 8

Key = int | str | tuple[int, int, int]


def colour_code(key: Any, source: str) -> int:
    """Turn ``"#rrggbb"`` or (r, g, b) into one number.

    Raises
    ------
    InputError
        If it is no colour.
    """
    if isinstance(key, str) and (hexadecimal := _HEX.match(key.strip())):
        return int(hexadecimal.group(1), 16)
    if isinstance(key, list | tuple) and len(key) == 3 and all(0 <= int(v) <= 255 for v in key):
        return (int(key[0]) << 16) | (int(key[1]) << 8) | int(key[2])
    raise InputError(f"{source}: legend: {key!r} is no colour; write '#rrggbb' or (red, green, blue)")


def pack_colours(pixels: NDArray[Any]) -> NDArray[np.int64]:
    """Turn colours (…, 3 or 4) of uint8 into one number each; transparent pixels become -1."""
    wide = pixels[..., :3].astype(np.int64)
    packed = (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]
    if pixels.shape[-1] == 4:
        packed = np.where(pixels[..., 3] == 0, -1, packed)
    return np.asarray(packed)


def declared_classes(
    classes: Classes | Sequence[str] | None, named: Sequence[str], unlabelled: str | None, source: str
) -> Classes:
    """Settle the list of classes: the declared ones, else those named in order, that of unlabelled pixels first.

    Raises
    ------
    InputError
        If a name is used that is not declared.
    """
    used = [name for name in dict.fromkeys(named) if name != IGNORED]
    rest = unlabelled if unlabelled not in (None, IGNORED) else None
    if classes is None:
        return as_classes(list(dict.fromkeys([*([rest] if rest and rest not in used else []), *used])))
    known = as_classes(classes)
    unknown = [name for name in [*used, *([rest] if rest else [])] if name not in known.names]
    if unknown:
        raise InputError(f"{source}: {unknown[0]!r} is not among the classes {', '.join(known.names)}; declare it")
    return known


def number_of(name: str, classes: Classes) -> int:
    """Give the number of a class, or the ignore label for ``"ignore"``."""
    return IGNORE if name == IGNORED else classes.names.index(name)


def apply_legend(
    codes: NDArray[Any],
    legend: Mapping[int, str],
    classes: Classes | Sequence[str] | None,
    unlabelled: str | None,
    colours: bool,
    source: str,
) -> tuple[NDArray[np.uint8], Classes]:
    """Replace values or packed colours by class numbers.

    Parameters
    ----------
    codes
        (y, x) of integers; -1 is a transparent pixel.
    legend
        Class name by value; ``"ignore"`` for pixels to leave out.
    classes
        Declared classes; by default those of the legend in its order.
    unlabelled
        Class of what the legend does not list; None refuses it.
    colours
        Whether codes are colours, which then become the classes' colours.
    source
        What to call the mask in errors.

    Raises
    ------
    InputError
        If the mask holds something that the legend does not list, with the most frequent ones.
    """
    known = declared_classes(classes, list(legend.values()), unlabelled, source)
    if colours and classes is None:
        by_name = {name: f"#{code:06x}" for code, name in reversed(list(legend.items()))}
        if all(name in by_name for name in known.names):
            known = Classes(names=known.names, colours=tuple(by_name[name] for name in known.names))
    found, inverse, counts = np.unique(codes, return_inverse=True, return_counts=True)
    strange = [(int(c), int(v)) for v, c in zip(found, counts, strict=True) if int(v) not in legend and v != -1]
    if strange and unlabelled is None:
        listing = ", ".join(
            f"{f'#{v:06x}' if colours else v} ({c} px)" for c, v in sorted(strange, reverse=True)[:_SHOWN]
        )
        raise InputError(
            f"{source} holds {len(strange)} {'colours' if colours else 'values'} that the legend does not list: "
            f"{listing}; list them, or say what they are with unlabelled='ignore' or the name of a class"
        )
    rest = number_of(unlabelled or IGNORED, known)
    table = [number_of(legend[int(v)], known) if int(v) in legend else rest for v in found]
    return np.asarray(table, dtype=np.uint8)[inverse].reshape(codes.shape), known
