"""A user's own images beside the simulation: prepared as the scenario's samples are, judged where annotated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator

from beamforge.errors import InputError
from beamforge.io import named_classes, open_stack
from beamforge.recipes.measurements import LabelSettings, Measured, Measurement
from beamforge.recipes.places import Places
from beamforge.recipes.simulations.scenario import build_step
from beamforge.simulation import Sample, Scenario
from beamforge.stack import Channel, as_stack


def load_annotated(settings: Measurement, scenario: Scenario, places: Places, rng: Generator) -> Measured:
    """Load an annotated measurement whose labels are of the scenario's classes.

    Raises
    ------
    InputError
        If channels or classes are others than the scenario's.
    """
    if isinstance(settings, LabelSettings):
        unsaid = settings.unlabelled is None and named_classes(places.find(settings.labels)) is None
        if settings.classes is None and (settings.legend is not None or unsaid):
            settings = settings.model_copy(update={"classes": scenario.classes.names})
    measured = settings.load(places, rng)
    names = tuple(measured.labels.attrs["class_names"])
    if names != scenario.classes.names:
        raise InputError(
            f"the annotated labels have the classes {', '.join(names)}, the scenario makes "
            f"{', '.join(scenario.classes.names)}; say with a legend what their values mean"
        )
    check_channels(measured.stack, scenario, "the annotated stack")
    return measured


def load_image(path: str, scenario: Scenario) -> xr.DataArray:
    """Open an image without labels."""
    stack = open_stack(path)
    check_channels(stack, scenario, path)
    return stack


def check_channels(stack: xr.DataArray, scenario: Scenario, name: str) -> None:
    """Refuse a stack of another number of channels than the scenario makes."""
    if stack.sizes["channel"] != len(scenario.channels):
        wanted = ", ".join(channel.label for channel in scenario.channels)
        raise InputError(
            f"{name} has {stack.sizes['channel']} channels, the scenario makes {len(scenario.channels)} ({wanted})"
        )


def prepared(
    stack: xr.DataArray, scenario: Scenario, steps: Sequence[Mapping[str, Any]], places: Places, rng: Generator
) -> xr.DataArray:
    """Take a measured image through steps and call its channels by the scenario's names."""
    image = np.asarray(stack.values, np.float32)
    sample = Sample(image=image, labels=np.zeros(image.shape[1:], np.uint8))
    for config in steps:
        step = build_step(config, places, rng)
        sample = step.apply(sample, step.draw(sample, rng), rng)
    if sample.image.shape != image.shape:
        raise InputError(f"the steps under `prepare` turn an image of shape {image.shape} into {sample.image.shape}")
    return as_named(sample.image, scenario.channels, stack)


def as_named(image: np.ndarray[Any, Any], channels: Sequence[Channel], like: xr.DataArray) -> xr.DataArray:
    """Wrap an image as a stack of these channels with the pixel size of another."""
    scale = {key: like.attrs[key] for key in ("pixel_size", "pixel_size_unit", "simulated") if key in like.attrs}
    return as_stack(image, list(channels), **scale)


def window_of_interest(labels: np.ndarray[Any, Any] | None, shape: tuple[int, int], side: int) -> tuple[slice, slice]:
    """Choose the part of an image that a report shows: where the most pixels are of another class than the first.

    Parameters
    ----------
    labels
        (y, x); None takes the middle.
    shape
        (y, x) of the image.
    side
        Largest side of the part in px.
    """
    rows, columns = (min(side, size) for size in shape)
    if labels is None:
        top, left = (shape[0] - rows) // 2, (shape[1] - columns) // 2
        return slice(top, top + rows), slice(left, left + columns)
    of_interest = (labels > 0) & (labels < 255)
    sums = np.pad(np.cumsum(np.cumsum(of_interest, axis=0), axis=1), ((1, 0), (1, 0)))
    found = sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns] + sums[:-rows, :-columns]
    top, left = (int(place) for place in np.unravel_index(np.argmax(found), found.shape))
    return slice(top, top + rows), slice(left, left + columns)


def segmentation_name(path: str | Path) -> str:
    """Name the labels of an image after its file."""
    return f"{Path(str(path).partition(':')[0]).stem}_labels.tif"
