"""What this package writes beside pixels, so that its own files come back complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import xarray as xr
from pydantic import BaseModel, ConfigDict, ValidationError

from beamforge.errors import InputError
from beamforge.stack import Channel, Classes, channels_of, classes_of, is_simulated

KEY = "beamforge"
"""The name of the block in a TIFF's description, a PNG's text or a Zarr group's attributes."""


class Metadata(BaseModel):
    """The block of metadata; a file of labels has classes, a stack has channels."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    classes: Classes | None = None
    channels: tuple[Channel, ...] | None = None
    pixel_size: float | None = None
    pixel_size_unit: str = "µm"
    units: str | None = None
    provenance: dict[str, Any] | None = None

    @classmethod
    def of_stack(cls, stack: xr.DataArray, provenance: Mapping[str, Any] | None) -> Self:
        """Collect the metadata of a stack."""
        return cls(
            channels=channels_of(stack),
            pixel_size=stack.attrs.get("pixel_size"),
            pixel_size_unit=stack.attrs.get("pixel_size_unit", "µm"),
            units=stack.attrs.get("units"),
            provenance=_own(provenance, stack),
        )

    @classmethod
    def of_labels(cls, labels: xr.DataArray, provenance: Mapping[str, Any] | None) -> Self:
        """Collect the metadata of labels."""
        return cls(
            classes=classes_of(labels),
            pixel_size=labels.attrs.get("pixel_size"),
            pixel_size_unit=labels.attrs.get("pixel_size_unit", "µm"),
            provenance=_own(provenance, labels),
        )

    @classmethod
    def read(cls, block: Any, source: str) -> Self | None:
        """Read the block from a file's attributes; None if it is absent.

        Raises
        ------
        InputError
            If a block of this package is there but damaged.
        """
        if block is None:
            return None
        try:
            return cls.model_validate(block)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InputError(f"{source}: its {KEY} metadata are damaged ({place}: {first['msg']})") from error

    def block(self) -> dict[str, Any]:
        """Give the block as JSON-able dicts."""
        return self.model_dump(mode="json", exclude_none=True)


def _own(provenance: Mapping[str, Any] | None, array: xr.DataArray) -> dict[str, Any] | None:
    carried = array.attrs.get("provenance")
    own = dict(provenance) if provenance is not None else dict(carried) if isinstance(carried, Mapping) else {}
    if is_simulated(array):
        # No way of saving may make measured pixels of simulated ones.
        own["simulated"] = True
    return own or None


def as_classes(classes: Classes | Sequence[str]) -> Classes:
    """Accept class names where `Classes` is meant.

    Raises
    ------
    InputError
        If the names repeat or are too many.
    """
    if isinstance(classes, Classes):
        return classes
    try:
        return Classes(names=tuple(classes))
    except ValidationError as error:
        raise InputError(f"classes: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from error


def colour_table(classes: Classes) -> np.ndarray:
    """Give the colours of all 256 label values, (256, 3) uint8; values that are no class are black."""
    table = np.zeros((256, 3), dtype=np.uint8)
    table[: len(classes)] = classes.rgb
    return table
