"""Opening labels: class images, palettes, colour masks and ImageJ ROIs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamforge.errors import InputError
from beamforge.io.guard import EAGER_CAP, check_size
from beamforge.io.image import Image
from beamforge.io.legend import Key, apply_legend, colour_code, declared_classes, number_of, pack_colours
from beamforge.io.metadata import as_classes
from beamforge.io.reader import head_of, reader_for, recognise
from beamforge.io.rois import IGNORED, MAGIC, class_of, draw, parse_rois
from beamforge.io.stacks import split_inner
from beamforge.stack import IGNORE, Classes, as_labels, check_pair

_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"


def is_roi_file(path: Path) -> bool:
    """Say whether a path is an ImageJ ROI, a zip archive, or a folder with ROIs and no images of its own format."""
    if path.is_dir():
        return recognise(path) is None and any(path.glob("*.roi"))
    return head_of(path).startswith((MAGIC, _ZIP, _EMPTY_ZIP))


def open_labels(
    path: str | Path,
    *,
    classes: Classes | Sequence[str] | None = None,
    legend: Mapping[Any, str] | None = None,
    stack: xr.DataArray | None = None,
    size: tuple[int, int] | None = None,
    unlabelled: str | None = None,
    overlap: Literal["error", "ignore"] = "error",
    dataset: str | int | None = None,
    plane: int | None = None,
    max_bytes: int | None = None,
) -> xr.DataArray:
    """Open the labels of a measurement.

    Parameters
    ----------
    path
        A label image of any format that can be read (whole class numbers, a palette, or colours), an ImageJ ``.roi``,
        a ``.zip`` of them or a folder of them.
    classes
        Names (and colours) of the classes by number, replacing those in the file. With ROIs and legends they set the
        order.
    legend
        Name of the class by pixel value, by colour (``"#rrggbb"`` or (r, g, b)), or by name of an ROI;
        ``"ignore"`` leaves pixels out. Needed for colour masks and for masks of grey levels.
    stack
        The measurement the labels belong to; their sizes must agree, and its pixel size is taken over.
    size
        (y, x) in px, for ROIs without a stack.
    unlabelled
        Name of the class of pixels in no ROI (by default they are ignored) or not in the legend (by default they are
        an error); ``"ignore"`` leaves them out.
    overlap
        Whether pixels in ROIs of different classes are an error or are ignored.
    dataset
        Which image in a file that holds several.
    plane
        Which plane of a label volume.
    max_bytes
        Most bytes the label image may declare, by default 4 GiB (a volume around it 64 GiB).

    Returns
    -------
    labels
        (y, x) of uint8; class numbers, 255 = ignore.

    Raises
    ------
    InputError
        If the file cannot be read as labels, with what to do.
    """
    place, inner = split_inner(path)
    if not place.exists():
        raise InputError(f"{place}: no such file or folder; check the path")
    if is_roi_file(place):
        labels = _from_rois(place, classes, legend, stack, size, unlabelled, overlap)
    else:
        wanted = inner if inner is not None else None if dataset is None else str(dataset)
        image = reader_for(place).open(place, wanted, max_bytes)
        cap = EAGER_CAP if max_bytes is None else max_bytes
        labels = _from_image(image, str(path), classes, legend, unlabelled, plane, cap)
        labels.attrs |= {key: value for key, value in image.attrs.items() if key == "provenance"}
    if stack is not None:
        check_pair(stack, labels, str(stack.attrs.get("source", "the stack")), str(path))
        if "pixel_size" in stack.attrs:
            labels.attrs |= {k: stack.attrs[k] for k in ("pixel_size", "pixel_size_unit") if k in stack.attrs}
    labels.attrs["source"] = str(path)
    return labels


def named_classes(path: str | Path) -> Classes | None:
    """Give the classes that a label file itself declares by number; None for ROIs and images without names.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be read.
    """
    place, inner = split_inner(path)
    if not place.exists():
        raise InputError(f"{place}: no such file or folder; check the path")
    return None if is_roi_file(place) else reader_for(place).open(place, inner).classes


def _from_rois(
    path: Path,
    classes: Classes | Sequence[str] | None,
    legend: Mapping[Any, str] | None,
    stack: xr.DataArray | None,
    size: tuple[int, int] | None,
    unlabelled: str | None,
    overlap: Literal["error", "ignore"],
) -> xr.DataArray:
    if stack is not None:
        size = (stack.sizes["y"], stack.sizes["x"])
    if size is None:
        raise InputError(f"{path} holds ROIs, which do not say how large their image is; pass stack= or size=(y, x)")
    check_size(str(path), size, np.dtype(np.uint8), EAGER_CAP)
    rois = parse_rois(path)
    known = None if classes is None else as_classes(classes).names
    names = None if legend is None else {str(key): name for key, name in legend.items()}
    of_rois = [class_of(roi.name, known, names, str(path)) for roi in rois]
    _refuse_near_names(of_rois, str(path))
    declared = declared_classes(classes, of_rois, unlabelled, str(path))
    background = number_of(unlabelled or IGNORED, declared)
    drawn = draw(rois, [number_of(name, declared) for name in of_rois], size, background, overlap, str(path))
    return as_labels(drawn, declared, source=str(path))


def _refuse_near_names(names: Sequence[str], source: str) -> None:
    """Refuse classes that differ only in case or spaces, as they are meant to be one."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault("".join(name.casefold().split()), name)
        if first != name:
            raise InputError(f"{source}: the classes {first!r} and {name!r} differ only in spelling; rename the ROIs")


def _from_image(
    image: Image,
    source: str,
    classes: Classes | Sequence[str] | None,
    legend: Mapping[Key, str] | None,
    unlabelled: str | None,
    plane: int | None,
    cap: int,
) -> xr.DataArray:
    pixels = _plane(image, source, plane, cap)
    if image.attrs.get("lossy"):
        raise InputError(f"{source} is a JPEG, whose compression changes class numbers; save the mask as PNG or TIFF")
    colour = pixels.ndim == 3
    if colour and pixels.dtype != np.uint8:
        raise InputError(f"{source} is a colour mask of {pixels.dtype}, expected 8 bits a colour; convert it")
    size = {"pixel_size": image.pixel_size, "pixel_size_unit": image.pixel_size_unit}
    if legend is None and colour:
        raise InputError(f"{source} is a colour mask; {_colour_hint(pack_colours(pixels))}")
    if legend is not None:
        by_colour = colour or not all(_is_number(key) for key in legend)
        codes = _codes(pixels, image, by_colour, source)
        numbered = {colour_code(k, source) if by_colour else int(k): v for k, v in legend.items()}  # type: ignore[arg-type]
        numbers, known = apply_legend(codes, numbered, classes, unlabelled, by_colour, source)
        return as_labels(numbers, known, source=source, **size)  # type: ignore[arg-type]
    known_classes = as_classes(classes) if classes is not None else image.classes
    if image.classes is None and (known_classes is None or len(known_classes) > 1):
        _refuse_black_and_white(pixels, source)
    if known_classes is None:
        _refuse_grey_levels(pixels, source)
        known_classes = _palette_classes(pixels, image)
    return as_labels(pixels, known_classes, source=source, **size)  # type: ignore[arg-type]


def _is_number(key: Any) -> bool:
    return isinstance(key, int) or (isinstance(key, str) and key.strip().isdecimal() and len(key.strip()) < 6)


def _plane(image: Image, source: str, plane: int | None, cap: int) -> NDArray[Any]:
    """Read (y, x) or, of a colour image, (y, x, sample)."""
    last = ("y", "x", "s") if image.colour else ("y", "x")
    leading = [axis for axis in image.axes if axis not in last]
    data = image.data.transpose([image.axes.index(axis) for axis in (*leading, *last)])
    planes = int(np.prod([image.sizes[axis] for axis in leading], dtype=np.int64))
    if planes > 1 and plane is None:
        raise InputError(f"{source} is a volume of {planes} planes; choose one with plane=, or use open_label_volume")
    if not 0 <= (plane or 0) < planes:
        raise InputError(f"{source} has no plane {plane}, it has 0..{planes - 1}")
    check_size(f"{source}: the label image", data.shape[len(leading) :], data.dtype, cap)
    index = np.unravel_index(plane or 0, [image.sizes[axis] for axis in leading]) if leading else ()
    chosen: NDArray[Any] = np.asarray(data[tuple(int(i) for i in index)])
    return chosen


def _codes(pixels: NDArray[Any], image: Image, by_colour: bool, source: str) -> NDArray[Any]:
    if pixels.ndim == 3:
        return pack_colours(pixels)
    if not by_colour:
        if pixels.dtype.kind == "f":
            raise InputError(f"{source} holds {pixels.dtype} values; a legend lists whole numbers, convert the mask")
        return pixels.astype(np.int64)
    if image.palette is None:
        raise InputError(f"{source} is grey but the legend lists colours; list pixel values instead")
    return np.asarray(pack_colours(image.palette)[pixels])


def _palette_classes(pixels: NDArray[Any], image: Image) -> Classes | None:
    """Take the colours of a palette image for its classes."""
    if image.palette is None:
        return None
    used = pixels[pixels != IGNORE]
    count = int(used.max(initial=0)) + 1
    colours = tuple("#" + bytes(rgb).hex() for rgb in image.palette[:count].astype(np.uint8))
    if len(colours) < count:
        return None
    return Classes(names=Classes.numbered(count).names, colours=colours)


def _colour_hint(codes: NDArray[np.int64]) -> str:
    values, counts = np.unique(codes[codes >= 0], return_counts=True)
    order = np.argsort(-counts)[:6]
    listing = ", ".join(f"'#{int(values[i]):06x}': '…'" for i in order)
    more = f" (and {len(values) - 6} more colours)" if len(values) > 6 else ""
    return f"pass legend={{{listing}}}{more} to name the class of each colour"


def _refuse_black_and_white(pixels: NDArray[Any], source: str) -> None:
    """Refuse masks of 0 and 255, whose 255 is more often a class than pixels to ignore."""
    if np.unique(pixels).tolist() == [0, IGNORE]:
        raise InputError(
            f"{source} holds only 0 and {IGNORE}, and {IGNORE} means ignore; for a mask of two classes pass "
            f"legend={{0: 'background', {IGNORE}: '…'}}, for one class with pixels to ignore pass classes=['…']"
        )


def _refuse_grey_levels(pixels: NDArray[Any], source: str) -> None:
    """Refuse masks whose values are grey levels and not class numbers, which would be read as hundreds of classes."""
    if pixels.dtype.kind not in "uib":
        return
    values = np.unique(pixels)
    used = values[values != IGNORE]
    if not used.size:
        raise InputError(f"{source}: every pixel is {IGNORE} (ignore), nothing is labelled")
    if int(used.max()) + 1 > 2 * used.size + 8:
        listing = ", ".join(f"{int(v)}: '…'" for v in values[:_MOST_LISTED])
        raise InputError(
            f"{source} holds {values.size} values up to {int(used.max())}, which look like grey levels and no class "
            f"numbers; pass legend={{{listing}}} or, if they are, classes="
        )


_MOST_LISTED = 8


def open_label_volume(
    path: str | Path, *, classes: Classes | Sequence[str] | None = None, dataset: str | int | None = None
) -> xr.DataArray:
    """Open a volume of class numbers without reading it, such as one written by `open_label_writer`.

    Returns
    -------
    labels
        (z, y, x) of the file's integers, backed by dask; attributes as of `open_labels`.

    Raises
    ------
    InputError
        If the file is no volume of whole numbers.
    """
    place, inner = split_inner(path)
    if not place.exists():
        raise InputError(f"{place}: no such file or folder; check the path")
    image = reader_for(place).open(place, inner if inner is not None else None if dataset is None else str(dataset))
    if image.colour or image.data.ndim not in (2, 3) or image.data.dtype.kind not in "uib":
        raise InputError(
            f"{path} holds {image.data.dtype} of shape {image.data.shape} ({', '.join(image.axes)}), expected whole "
            "numbers (z, y, x)"
        )
    data = image.data if image.data.ndim == 3 else image.data[None]
    known = as_classes(classes) if classes is not None else image.classes
    attrs: dict[str, Any] = {"source": str(path)}
    if known is not None:
        attrs |= {"class_names": list(known.names), "class_colours": list(known.colours)}
    if image.pixel_size is not None:
        attrs |= {"pixel_size": image.pixel_size, "pixel_size_unit": image.pixel_size_unit}
    return xr.DataArray(data, dims=("z", "y", "x"), attrs=attrs, name="labels")
