"""How label files look inside: the tags of a TIFF, the attributes of an OME-Zarr group."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import numpy as np

from beamforge.io.metadata import KEY, Metadata, colour_table
from beamforge.io.ome import VERSION, image_label, multiscales
from beamforge.io.units import conversion

BIG_TIFF = 2**32 - 2**25
"""Bytes beyond which a TIFF needs 64-bit offsets."""


def resolution_tags(metadata: Metadata) -> dict[str, Any]:
    """Give a TIFF's resolution tags, in px per cm, from the pixel size."""
    factor = conversion(metadata.pixel_size_unit, "cm")
    if metadata.pixel_size is None or factor is None:
        return {}
    per_cm = 1.0 / (metadata.pixel_size * factor)
    return {"resolution": (per_cm, per_cm), "resolutionunit": "CENTIMETER"}


def label_tiff_options(shape: tuple[int, ...], metadata: Metadata) -> dict[str, Any]:
    """Give tifffile's options for labels: a colour table, pixel size and our block in the description."""
    if metadata.classes is None:
        raise ValueError("labels have classes")
    return {
        "photometric": "palette",
        "colormap": colour_table(metadata.classes).T.astype(np.uint16) * 257,
        "bigtiff": math.prod(shape) > BIG_TIFF,
        "metadata": {"axes": "ZYX"[-len(shape) :], KEY: metadata.block()},
        **resolution_tags(metadata),
    }


def label_group_attributes(shape: tuple[int, ...], metadata: Metadata, name: str) -> dict[str, Any]:
    """Give the attributes of an OME-Zarr label group."""
    if metadata.classes is None:
        raise ValueError("labels have classes")
    axes = ("z", "y", "x")[-len(shape) :]
    scales = multiscales(axes, metadata.pixel_size, metadata.pixel_size_unit, name)
    return {
        "ome": {"version": VERSION, "multiscales": scales, "image-label": image_label(metadata.classes)},
        KEY: metadata.block(),
    }


def register_label(path: Path) -> None:
    """Name a label image in the listing of the ``labels`` group it stands in, if it stands in one."""
    if path.parent.name != "labels" or path.parent.parent.suffix.lower() != ".zarr":
        return
    import zarr

    group = zarr.open_group(path.parent, mode="a", zarr_format=3)
    listed: dict[str, Any] = dict(cast(Any, group.attrs.get("ome", {"version": VERSION})))
    listed["labels"] = sorted({*listed.get("labels", []), path.name})
    group.attrs["ome"] = listed
