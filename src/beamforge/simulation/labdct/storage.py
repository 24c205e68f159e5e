"""Sets of simulated projections on disk: images, instrument, and the table of spots beside them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import xarray as xr

from beamforge.errors import InputError
from beamforge.files import atomic_path
from beamforge.io.stack_writer import open_stack_writer
from beamforge.physics.labdct import Instrument
from beamforge.progress import tracked
from beamforge.provenance import provenance
from beamforge.simulation.labdct.forward import ForwardModel, rotations
from beamforge.simulation.labdct.spots import SPOT
from beamforge.stack import Channel, as_stack

MODE = "diffraction"
"""Mode of the channels of simulated projections."""


def spots_path(path: str | Path) -> Path:
    """Give the file of the table of spots that belongs to a set of projections."""
    return Path(path).with_suffix(".spots.csv")


def save_projections(model: ForwardModel, omegas: Iterable[float], path: str | Path, *, workers: int = 1) -> Path:
    """Simulate projections and write them one by one, so that a set may be larger than memory.

    Parameters
    ----------
    model
        What is projected, and with what.
    omegas
        Rotations in degrees.
    path
        ``.tif`` or ``.zarr``; channels carry their ``omega``, the provenance holds instrument and crystal. The table of
        all spots is written beside it, see `spots_path`.
    workers
        Projections at a time.

    Returns
    -------
    Path of the table of spots.

    Raises
    ------
    InputError
        If there is no angle, a grain is outside the field of view, or the path has another ending.
    """
    angles = rotations(omegas)
    # Values of the template are not read: one zero stands for all pixels.
    empty = np.broadcast_to(np.float32(0.0), (len(angles), *model.instrument.geometry.shape))
    channels = [Channel(mode=MODE, omega=angle) for angle in angles]
    template = as_stack(empty, channels, pixel_size=model.instrument.geometry.pixel_size, units="photons")
    source = provenance(
        simulated=True,
        recipe={
            "instrument": model.instrument.model_dump(mode="json"),
            "crystal": model.crystal.model_dump(mode="json"),
            "families": model.families,
            "mosaicity": model.mosaicity,
        },
    )
    table = spots_path(path)
    with (
        open_stack_writer(path, template, provenance=source) as write,
        atomic_path(table) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        rows = csv.writer(file)
        rows.writerow(SPOT.names or ())
        made = model.projections(angles, workers=workers)
        for number, projection in enumerate(tracked(made, "projections", total=len(angles))):
            write(number, 0, projection.image)
            rows.writerows(projection.spots.tolist())
    return table


def read_spots(path: str | Path) -> np.ndarray:
    """Read a table of spots, a structured array of `SPOT`.

    Raises
    ------
    InputError
        If the file is not one.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"there is no table of spots {source}")
    with source.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        names = tuple(next(lines, []))
        if names != SPOT.names:
            raise InputError(f"{source} has the columns {', '.join(names)}, expected {', '.join(SPOT.names or ())}")
        try:
            return np.array([tuple(line) for line in lines], dtype=SPOT)
        except ValueError as error:
            raise InputError(f"{source} holds a row that is not a spot ({error})") from error


def instrument_of(stack: xr.DataArray) -> Instrument:
    """Give the instrument that a stack of simulated projections was made with.

    Raises
    ------
    InputError
        If its provenance names none.
    """
    recipe = (stack.attrs.get("provenance") or {}).get("recipe") or {}
    if "instrument" not in recipe:
        raise InputError("the stack does not say with which instrument it was simulated; give the instrument")
    return Instrument.model_validate(recipe["instrument"])
