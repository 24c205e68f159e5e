"""Units as they are written in files, and the few this package uses."""

from __future__ import annotations

from beamforge.errors import InputError
from beamforge.stack import CHANNEL_UNITS

_UNITS: dict[str, tuple[str, float]] = {
    "m": ("length", 1.0),
    "cm": ("length", 1e-2),
    "mm": ("length", 1e-3),
    "µm": ("length", 1e-6),
    "nm": ("length", 1e-9),
    "Å": ("length", 1e-10),
    "pm": ("length", 1e-12),
    "inch": ("length", 0.0254),
    "MeV": ("energy", 1e6),
    "keV": ("energy", 1e3),
    "eV": ("energy", 1.0),
    "meV": ("energy", 1e-3),
    "rad": ("angle", 1.0),
    "deg": ("angle", 0.017453292519943295),
    "s": ("time", 1.0),
    "ms": ("time", 1e-3),
    "µs": ("time", 1e-6),
    "ns": ("time", 1e-9),
}

_OTHER_NAMES = {
    "um": "µm", "μm": "µm", "micron": "µm", "microns": "µm", "micrometer": "µm", "micrometre": "µm", "\\u00b5m": "µm",
    "nanometer": "nm", "nanometre": "nm", "millimeter": "mm", "millimetre": "mm", "centimeter": "cm",
    "centimetre": "cm", "meter": "m", "metre": "m", "angstrom": "Å", "angstroms": "Å", "a": "Å", "å": "Å",
    "picometer": "pm", "picometre": "pm", "in": "inch", "inches": "inch", "degree": "deg", "degrees": "deg",
    "°": "deg", "radian": "rad", "radians": "rad", "second": "s", "seconds": "s", "sec": "s", "millisecond": "ms",
    "us": "µs", "μs": "µs", "microsecond": "µs", "nanosecond": "ns",
}  # fmt: skip

_OME_NAMES = {
    "m": "meter", "cm": "centimeter", "mm": "millimeter", "µm": "micrometer", "nm": "nanometer", "Å": "angstrom",
    "pm": "picometer", "inch": "inch",
}  # fmt: skip


def unit_name(text: object) -> str | None:
    """Give the package's spelling of a unit, such as ``µm`` for ``micron``; None if it is not known."""
    if text is None:
        return None
    name = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    name = name.strip()
    if name in _UNITS:
        return name
    return _OTHER_NAMES.get(name) or _OTHER_NAMES.get(name.lower())


def length_unit(text: object) -> str | None:
    """Give the package's spelling of a unit of length; None if it is not one."""
    name = unit_name(text)
    return name if name is not None and _UNITS[name][0] == "length" else None


def ome_unit(unit: str) -> str | None:
    """Give the OME-Zarr name of a unit of length."""
    return _OME_NAMES.get(unit_name(unit) or "")


def conversion(given: str, wanted: str) -> float | None:
    """Give the factor from one unit to another; None if they do not measure the same thing."""
    one, other = unit_name(given), unit_name(wanted)
    if one is None or other is None or _UNITS[one][0] != _UNITS[other][0]:
        return None
    return _UNITS[one][1] / _UNITS[other][1]


def channel_factor(name: str, unit: object, source: str) -> float:
    """Give the factor that turns a channel coordinate of a file into the unit the package uses for it.

    Raises
    ------
    InputError
        If the file's unit cannot be turned into it; guessing would put wrong numbers on the channels.
    """
    wanted = CHANNEL_UNITS.get(name)
    text = unit.decode("utf-8", "replace") if isinstance(unit, bytes) else str(unit or "")
    if wanted is None or wanted == "px" or text in ("", wanted):
        return 1.0
    factor = conversion(text, wanted)
    if factor is None:
        raise InputError(
            f"{source}: {name} is in {text!r}, expected {wanted} or a unit that converts to it; "
            "correct the file's units or pass channels="
        )
    return factor
