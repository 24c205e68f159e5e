"""Metadata of OME-Zarr 0.5 (and 0.4 when reading): axes, scale, channel names, label colours.

Source: the OME-NGFF specification, version 0.5, sections "multiscales" and "labels".
"""

from __future__ import annotations

from typing import Any

from beamforge.io.units import ome_unit
from beamforge.stack import Classes

VERSION = "0.5"


def multiscales(axes: tuple[str, ...], pixel_size: float | None, unit: str, name: str) -> list[dict[str, Any]]:
    """Describe one array ``"0"`` with the given axes; without a pixel size the scale is 1 and no unit is claimed."""
    described: list[dict[str, Any]] = []
    for axis in axes:
        entry = {"name": axis, "type": {"c": "channel", "t": "time"}.get(axis, "space")}
        if entry["type"] == "space" and pixel_size is not None and ome_unit(unit):
            entry["unit"] = ome_unit(unit) or unit
        described.append(entry)
    side = 1.0 if pixel_size is None else float(pixel_size)
    scale = [side if entry["type"] == "space" else 1.0 for entry in described]
    datasets = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}]
    return [{"name": name, "axes": described, "datasets": datasets}]


def image_label(classes: Classes) -> dict[str, Any]:
    """Describe the colours and names of label values."""
    colours = [{"label-value": number, "rgba": [*(int(v) for v in rgb), 255]} for number, rgb in enumerate(classes.rgb)]
    properties = [{"label-value": number, "class": name} for number, name in enumerate(classes.names)]
    return {"colors": colours, "properties": properties}


def label_classes(description: dict[str, Any]) -> Classes | None:
    """Read names and colours from an ``image-label`` block; None unless the values count 0..K-1."""
    colours = {
        int(entry["label-value"]): "#" + "".join(f"{int(v):02x}" for v in entry["rgba"][:3])
        for entry in description.get("colors", [])
        if "rgba" in entry
    }
    names = {
        int(entry["label-value"]): str(entry.get("class") or entry.get("name") or "")
        for entry in description.get("properties", [])
    }
    numbers = sorted(names) if names else sorted(colours)
    if not numbers or numbers != list(range(len(numbers))):
        return None
    found = tuple(names.get(number) or f"class {number}" for number in numbers)
    known = all(number in colours for number in numbers)
    return Classes(names=found, colours=tuple(colours[number] for number in numbers) if known else ())
