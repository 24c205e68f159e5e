"""What a TIFF says about its pixels: size, units, channels, classes.

ImageJ, OME-TIFF, scitiff (JSON in the ImageJ description) and tifffile's own JSON description are understood.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from beamforge.io.image import Coordinate
from beamforge.io.metadata import KEY, Metadata
from beamforge.io.units import channel_factor, length_unit
from beamforge.stack import Channel, Classes

_PRINT_DPI = (72, 75, 96, 100, 120, 144, 150, 200, 220, 240, 300, 360, 600, 720, 1200)
"""Resolutions that programs fill in for screens and paper; they say nothing about a detector's pixels."""

_RGB = (2, 6)


@dataclass(frozen=True)
class TiffFacts:
    """All that is known beside the pixels."""

    colour: bool = False
    coordinates: tuple[Coordinate, ...] = ()
    channels: tuple[Channel, ...] | None = None
    classes: Classes | None = None
    palette: NDArray[np.uint8] | None = None
    pixel_size: float | None = None
    pixel_size_unit: str = "µm"
    units: str | None = None
    attrs: dict[str, Any] = field(default_factory=dict)


def facts_of(file: tifffile.TiffFile, series: tifffile.TiffPageSeries, source: str) -> TiffFacts:
    """Collect what a TIFF says; what it says in several places is taken from the most exact one."""
    page = series.keyframe
    facts = TiffFacts(colour=int(page.photometric) in _RGB and page.samplesperpixel >= 3)
    if int(page.photometric) == 3 and page.colormap is not None:
        palette = (np.asarray(page.colormap).T >> 8).astype(np.uint8)
        facts = replace(facts, palette=palette)
    if int(page.photometric) == 0:
        facts = replace(facts, attrs={"white_is_zero": True})
    facts = _with_resolution(facts, page, file)
    if file.is_ome:
        facts = _with_ome(facts, file)
    if file.is_imagej:
        facts = _with_imagej(facts, file, source)
    ours = Metadata.read(_shaped_block(file), source)
    if ours is not None:
        facts = replace(
            facts,
            channels=ours.channels,
            classes=ours.classes,
            pixel_size=ours.pixel_size,
            pixel_size_unit=ours.pixel_size_unit,
            units=ours.units,
            attrs=facts.attrs | ({"provenance": ours.provenance} if ours.provenance else {}),
        )
    return facts


def _shaped_block(file: tifffile.TiffFile) -> Any:
    for block in file.shaped_metadata or ():
        if KEY in block:
            return block[KEY]
    return None


def pixel_size_from_resolution(per_unit: tuple[float, float], unit_in_um: float) -> float | None:
    """Turn a resolution (x, y) in px per unit into µm; None where it is a print resolution, absent or not square."""
    across, down = per_unit
    if not (across > 0 and down > 0) or abs(across / down - 1) > 1e-3:
        return None
    dpi = across * 25400.0 / unit_in_um
    if any(abs(dpi - standard) < 0.6 for standard in _PRINT_DPI) or across in (0.0, 1.0):
        return None
    return unit_in_um / across


def _ratios(page: tifffile.TiffPage) -> tuple[float, float] | None:
    values = []
    for name in ("XResolution", "YResolution"):
        tag = page.tags.get(name)
        if tag is None or not isinstance(tag.value, tuple) or not tag.value[1]:
            return None
        values.append(tag.value[0] / tag.value[1])
    return values[0], values[1]


def _with_resolution(facts: TiffFacts, page: tifffile.TiffPage, file: tifffile.TiffFile) -> TiffFacts:
    ratios, unit = _ratios(page), page.tags.valueof("ResolutionUnit")
    in_um = {2: 25400.0, 3: 10000.0}.get(int(unit)) if unit is not None else None
    if ratios is None or in_um is None or file.is_imagej:
        return facts
    return replace(facts, pixel_size=pixel_size_from_resolution(ratios, in_um))


def _with_imagej(facts: TiffFacts, file: tifffile.TiffFile, source: str) -> TiffFacts:
    described: dict[str, Any] = file.imagej_metadata or {}
    unit = length_unit(described.get("unit"))
    ratios = _ratios(file.pages.first)
    if unit is not None and ratios is not None and ratios[0] > 0 and abs(ratios[0] / ratios[1] - 1) < 1e-3:
        facts = replace(facts, pixel_size=1.0 / ratios[0], pixel_size_unit=unit)
    labels = described.get("Labels")
    attrs = dict(facts.attrs)
    if labels:
        attrs["slice_labels"] = [str(label) for label in labels]
    if described.get("spacing"):
        attrs["z_spacing"] = float(described["spacing"])
    facts = replace(facts, attrs=attrs)
    return _with_scitiff(facts, described.get("scitiffmeta"), source)


def _with_scitiff(facts: TiffFacts, block: Any, source: str) -> TiffFacts:
    if block is None:
        return facts
    image = (json.loads(block) if isinstance(block, str) else block)["image"]
    coordinates: list[Coordinate] = []
    for name, variable in image.get("coords", {}).items():
        dims, values, unit = variable.get("dims", ()), variable.get("values"), variable.get("unit")
        if len(dims) != 1 or not isinstance(values, list):
            continue
        if dims[0] in ("x", "y"):
            facts = _with_spacing(facts, name, values, unit)
        elif isinstance(values[0], str):
            coordinates.append(Coordinate("mode", dims[0], tuple(values)))
        else:
            factor = channel_factor(name, unit, source)
            numbers = tuple(float(v) * factor for v in values)
            coordinates.append(Coordinate(name, dims[0], numbers, unit or ""))
    return replace(facts, coordinates=tuple(coordinates), units=image.get("data", {}).get("unit") or facts.units)


def _with_spacing(facts: TiffFacts, name: str, values: list[float], unit: str | None) -> TiffFacts:
    side = spacing(np.asarray(values, dtype=np.float64))
    known = length_unit(unit)
    if name != "x" or side is None or known is None:
        return facts
    return replace(facts, pixel_size=side, pixel_size_unit=known)


def spacing(positions: NDArray[np.float64]) -> float | None:
    """Give the step of evenly spaced positions; None if they are not evenly spaced."""
    if positions.size < 2:
        return None
    steps = np.diff(positions)
    step = float((positions[-1] - positions[0]) / (positions.size - 1))
    return abs(step) if step and np.allclose(steps, step, rtol=1e-3, atol=0) else None


def _with_ome(facts: TiffFacts, file: tifffile.TiffFile) -> TiffFacts:
    described = tifffile.xml2dict(file.ome_metadata or "<OME/>").get("OME", {})
    image = described.get("Image", {})
    pixels = (image[0] if isinstance(image, list) else image).get("Pixels", {})
    side, unit = pixels.get("PhysicalSizeX"), length_unit(pixels.get("PhysicalSizeXUnit", "µm"))
    if side and unit and abs(float(pixels.get("PhysicalSizeY", side)) / float(side) - 1) < 1e-3:
        facts = replace(facts, pixel_size=float(side), pixel_size_unit=unit)
    channels = pixels.get("Channel", [])
    channels = channels if isinstance(channels, list) else [channels]
    names = tuple(str(c.get("Name", "")) for c in channels)
    if all(names) and len(set(names)) == len(names):
        facts = replace(facts, coordinates=(Coordinate("mode", "c", names),))
    return facts
