"""Writing stacks and labels, with all that is known about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from beamforge.errors import InputError
from beamforge.files import atomic_path
from beamforge.io.label_files import BIG_TIFF, label_tiff_options, resolution_tags
from beamforge.io.label_writer import open_label_writer
from beamforge.io.metadata import KEY, Metadata, colour_table
from beamforge.io.ome import VERSION, multiscales
from beamforge.stack import as_labels, classes_of


def save_labels(path: str | Path, labels: xr.DataArray, *, provenance: Mapping[str, Any] | None = None) -> None:
    """Write labels with their class names, colours and pixel size.

    Parameters
    ----------
    path
        ``.tif`` (compressed, colour table), ``.png`` (palette), ``.zarr`` or ``IMAGE.zarr/labels/NAME``
        (OME-Zarr 0.5).
    labels
        (y, x) as made by `beamforge.stack.as_labels`.
    provenance
        Where they come from, JSON-able.

    Raises
    ------
    InputError
        If the labels are not valid or the path has another ending.
    """
    target = Path(path)
    checked = as_labels(labels.data, classes_of(labels), source="the labels to save")
    metadata = Metadata.of_labels(labels, provenance)
    suffix = target.suffix.lower()
    if suffix in (".tif", ".tiff"):
        import tifffile

        options = label_tiff_options(checked.shape, metadata)
        with atomic_path(target) as temporary:
            tifffile.imwrite(temporary, checked.values, compression="zlib", **options)
    elif suffix == ".png":
        _save_png(target, checked.values, metadata)
    elif any(part.suffix.lower() == ".zarr" for part in (target, *target.parents)):
        with open_label_writer(
            target,
            checked.shape,
            classes_of(labels),
            pixel_size=metadata.pixel_size,
            pixel_size_unit=metadata.pixel_size_unit,
            provenance=metadata.provenance,
        ) as writer:
            writer.write(checked.values, (0, 0))
    else:
        raise InputError(f"{target}: labels are saved as .tif, .png or .zarr, not as {target.suffix or 'a folder'!r}")


def _save_png(path: Path, values: np.ndarray, metadata: Metadata) -> None:
    import json

    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    if metadata.classes is None:
        raise ValueError("labels have classes")
    picture = Image.fromarray(values)
    picture.putpalette(colour_table(metadata.classes).tobytes())
    text = PngInfo()
    text.add_text(KEY, json.dumps(metadata.block()))
    with atomic_path(path) as temporary:
        picture.save(temporary, format="PNG", pnginfo=text)


def save_stack(path: str | Path, stack: xr.DataArray, *, provenance: Mapping[str, Any] | None = None) -> None:
    """Write a stack with its channels, units and pixel size, plane by plane; the type of the values is kept.

    Parameters
    ----------
    path
        ``.tif`` or ``.zarr`` (OME-Zarr 0.5 image).
    stack
        (channel, y, x); a lazy one is computed one channel at a time.
    provenance
        Where it comes from, JSON-able.

    Raises
    ------
    InputError
        If it is not a stack or the path has another ending.
    """
    target = Path(path)
    if stack.dims != ("channel", "y", "x"):
        raise InputError(f"a stack has dims (channel, y, x), not {tuple(stack.dims)}; see beamforge.stack.as_stack")
    metadata = Metadata.of_stack(stack, provenance)
    suffix = target.suffix.lower()
    if suffix in (".tif", ".tiff"):
        _save_tiff(target, stack, metadata)
    elif suffix == ".zarr":
        _save_zarr(target, stack, metadata)
    else:
        raise InputError(f"{target}: stacks are saved as .tif or .zarr, not as {target.suffix or 'a folder'!r}")


def _save_tiff(path: Path, stack: xr.DataArray, metadata: Metadata) -> None:
    import tifffile

    with atomic_path(path) as temporary:
        tifffile.imwrite(
            temporary,
            (plane for block in _blocks(stack) for plane in block),
            shape=stack.shape,
            dtype=stack.dtype,
            photometric="minisblack",
            compression="zlib",
            bigtiff=stack.nbytes > BIG_TIFF,
            metadata={"axes": "CYX", KEY: metadata.block()},
            **resolution_tags(metadata),
        )


def _save_zarr(path: Path, stack: xr.DataArray, metadata: Metadata) -> None:
    import zarr

    scales = multiscales(("c", "y", "x"), metadata.pixel_size, metadata.pixel_size_unit, path.stem)
    with atomic_path(path) as temporary:
        attributes: dict[str, Any] = {"ome": {"version": VERSION, "multiscales": scales}, KEY: metadata.block()}
        group = zarr.create_group(temporary, zarr_format=3, attributes=attributes)
        array = group.create_array(
            "0",
            shape=stack.shape,
            chunks=(1, *(min(1024, side) for side in stack.shape[1:])),
            dtype=stack.dtype,
            dimension_names=("c", "y", "x"),
        )
        start = 0
        for block in _blocks(stack):
            array[start : start + len(block)] = block
            start += len(block)


def _blocks(stack: xr.DataArray) -> Iterator[np.ndarray]:
    """Give the channels block by block as they are chunked, so that each chunk of a lazy stack is computed once."""
    sizes = stack.chunks[0] if stack.chunks else (1,) * len(stack)
    stops = np.cumsum(sizes)
    for start, stop in zip(stops - sizes, stops, strict=True):
        yield np.asarray(stack[start:stop].data)
