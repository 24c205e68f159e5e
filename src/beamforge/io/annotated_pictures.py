"""Pictures with masks of one thing on them, such as cracks: of any sizes and modes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from beamforge.errors import InputError
from beamforge.io.pictures import Sources, open_picture, picture_files
from beamforge.io.reader import reader_for
from beamforge.stack import Classes, as_labels, check_pair

_MOST_MARKED = 0.5
_SHOWN = 5


class AnnotatedPicture(NamedTuple):
    """A picture and its mask.

    Attributes
    ----------
    path
        The picture's file.
    stack
        (1, y, x) float32 shares of full scale.
    labels
        (y, x); class 1 is what the mask marks.
    mask
        The mask's file, if it has one.
    """

    path: Path
    stack: xr.DataArray
    labels: xr.DataArray
    mask: Path | None = None


def open_annotated_pictures(
    images: Sources, classes: Classes, *, masks: str | None = None, inverted: bool = False
) -> list[AnnotatedPicture]:
    """Open grey pictures and the masks of what is to be found on them.

    Parameters
    ----------
    images
        A folder, a pattern, a file, or a list of these; colours become luminance (see `open_picture`).
    classes
        Two: the background, and what the masks mark.
    masks
        Where the mask of a picture is, from the picture's folder; ``{stem}`` is the picture's name without suffix, as
        in ``"{stem}.png"`` or ``"../masks/{stem}_mask.png"``. Without it nothing is marked on any picture. Marked are
        values above half of the largest one in all masks.
    inverted
        Whether the masks mark the background.

    Raises
    ------
    InputError
        If there are no pictures, a mask is missing or of another size, or masks look inverted.
    """
    if len(classes) != 2:
        raise InputError(f"masks tell two classes apart, got {len(classes)}: {', '.join(classes.names)}")
    files = [file for file in picture_files(images) if masks is None or _is_picture(file, masks)]
    beside = [None if masks is None else _mask_of(file, masks) for file in files]
    marked = _read_masks([mask for mask in beside if mask is not None], inverted) if masks is not None else None
    found = []
    for number, (file, mask) in enumerate(zip(files, beside, strict=True)):
        stack = open_picture(file)
        values = np.zeros((stack.sizes["y"], stack.sizes["x"]), bool) if marked is None else marked[number]
        labels = as_labels(values, classes, source=str(file))
        check_pair(stack, labels, str(file), str(mask or file))
        found.append(AnnotatedPicture(file, stack, labels, mask))
    return found


def _mask_of(file: Path, masks: str) -> Path:
    if "{stem}" not in masks:
        raise InputError(f"masks is {masks!r}, expected where the mask of a picture is, such as '{{stem}}_mask.png'")
    return file.parent / masks.replace("{stem}", file.stem)


def _is_picture(file: Path, masks: str) -> bool:
    """Tell pictures from masks that lie beside them and are named by adding to the picture's name."""
    before, _, after = Path(masks).name.partition("{stem}")
    beside = Path(masks).parent == Path() and (before, Path(after).stem) != ("", "")
    return not (beside and file.name.startswith(before) and file.name.endswith(after))


def _read_masks(files: Sequence[Path], inverted: bool) -> list[NDArray[np.bool_]]:
    missing = [str(file) for file in files if not file.exists()]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(files)} masks are missing, such as {', '.join(missing[:_SHOWN])}; add them (black "
            "where nothing is marked), or name pictures on which nothing is marked apart"
        )
    values = [_mask_values(file) for file in files]
    kinds = {str(mask.dtype) for mask in values}
    largest = max(float(mask.max()) for mask in values)
    if largest > 1.0 and len(kinds) > 1:
        raise InputError(f"the masks are of different types ({', '.join(sorted(kinds))}); save all of them with 8 bits")
    marked: list[NDArray[np.bool_]] = [(mask > largest / 2.0) != inverted for mask in values]
    _refuse_inverted(files, marked, inverted)
    return marked


def _mask_values(path: Path) -> NDArray[Any]:
    """Read a mask (y, x); of colours, the brightest."""
    image = reader_for(path).open(path, None, None)
    values = np.asarray(image.data)
    if image.indexed and image.palette is not None:
        values = np.asarray(image.palette[values])
    elif image.colour and image.axes[-1] == "s":
        values = values[..., :3]
    elif values.ndim != 2:
        raise InputError(f"{path} holds {' × '.join(map(str, values.shape))} values, a mask is a single picture")
    return values if values.ndim == 2 else values.max(axis=2)


def _refuse_inverted(files: Sequence[Path], marked: Sequence[NDArray[np.bool_]], inverted: bool) -> None:
    """Refuse masks that mark most of their picture: cracks and the like are a small part of it."""
    odd = [(file, float(mask.mean())) for file, mask in zip(files, marked, strict=True) if mask.mean() > _MOST_MARKED]
    if not odd:
        return
    listing = ", ".join(f"{file} ({share:.0%} marked)" for file, share in odd[:_SHOWN])
    if len(odd) == len(files):
        advice = f"set inverted to {str(not inverted).lower()}"
    else:
        advice = "the others do not, so invert these files"
    raise InputError(
        f"{len(odd)} of {len(files)} masks mark most of their picture, so they look inverted: {listing}; {advice}"
    )
