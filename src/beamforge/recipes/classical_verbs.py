"""The verbs that work by rule, clustering or pixel classifiers, as functions of files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.random import default_rng
from pydantic import ValidationError

from beamforge.errors import InputError
from beamforge.files import atomic_path
from beamforge.io import open_labels, open_stack
from beamforge.recipes.predictors import load_predictor
from beamforge.simulation.step import describe
from beamforge.stack import check_pair

if TYPE_CHECKING:
    from beamforge.classical import Classifier
    from beamforge.classical.clustering import Clusters
    from beamforge.classical.clustering.selection import Criterion, Method
    from beamforge.classical.spots import Cleaning
    from beamforge.segmentation.clean_spots import CleanedSpots, Precision


def clean(
    stack: str | Path,
    output: str | Path,
    *,
    mask: str | Path | None = None,
    high: float = 6.0,
    low: float = 3.5,
    model: str | Path | None = None,
    probability: float = 0.3,
) -> Cleaning:
    """Replace the white spots of every image of a stack of any size.

    Parameters
    ----------
    stack
        The images.
    output, mask
        The clean stack and the mask of what was replaced, each ``.tif`` or ``.zarr``.
    high, low
        Of `beamforge.classical.spots.RobustSpots`, in standard deviations of the noise.
    model, probability
        Folder of a network trained on spots, which decides instead, and from which probability on.
    """
    from beamforge.classical.spots import NetworkSpots, RobustSpots, SpotDetector
    from beamforge.classical.spots import clean as clean_stack

    detector: SpotDetector
    if model is not None:
        detector = NetworkSpots(load_predictor(model), probability)
    else:
        try:
            detector = RobustSpots(high=high, low=low)
        except ValidationError as error:
            raise InputError(f"clean: {describe(error)}") from error
    return clean_stack(open_stack(stack), output, detector, mask=mask)


def clean_spots(
    stack: str | Path,
    output: str | Path,
    *,
    model: str | Path | None = None,
    probability: float | None = None,
    precision: Precision | None = None,
    window: int = 11,
    routine: Mapping[str, float] | None = None,
) -> CleanedSpots:
    """Turn raw diffraction projections into binary spots.

    Parameters
    ----------
    stack
        The projections, in the order of their rotation angles.
    output
        ``.tif`` or ``.zarr``.
    model, probability
        Folder of a network trained on simulated projections, and from which probability on (0.5) a pixel is a spot.
    precision
        Of the network's convolutions: ``fp32`` (where left out), ``bf16``, or ``auto`` for the faster one; see
        `NetworkSpotFinder`.
    window
        Projections of the rolling median, odd.
    routine
        Settings of the standard routine, `beamforge.classical.diffraction.LaplacianSpots`, which decides without a
        model.

    Raises
    ------
    InputError
        If files cannot be read or used, model and routine are both given, or settings of a network without one.
    """
    from beamforge.classical.diffraction import LaplacianSpots
    from beamforge.segmentation.clean_spots import NetworkSpotFinder, SpotFinder
    from beamforge.segmentation.clean_spots import clean_spots as clean_projections

    if model is not None and routine is not None:
        raise InputError("clean_spots: a model and settings of the routine are both given; give one of them")
    of_network = {"probability": probability, "precision": precision}
    given: dict[str, Any] = {name: value for name, value in of_network.items() if value is not None}
    if model is None and given:
        named = " and ".join(given)
        raise InputError(f"clean_spots: no model is given that {named} could set; give one or leave it out")
    finder: SpotFinder
    if model is not None:
        finder = NetworkSpotFinder(load_predictor(model), **given)
    else:
        try:
            finder = LaplacianSpots.model_validate(dict(routine or {}))
        except ValidationError as error:
            raise InputError(f"clean_spots: {describe(error)}") from error
    return clean_projections(finder, open_stack(stack), output, window=window)


def cluster(
    stack: str | Path,
    count: int | Criterion,
    output: str | Path,
    *,
    method: Method = "kmeans",
    position_weight: float = 0.0,
    most: int = 12,
    bin_factor: int = 1,
    restarts: int = 10,
    seed: int = 0,
    device: str | None = None,
) -> Clusters:
    """Group the pixels of a stack by their spectra; see `beamforge.classical.clustering.cluster`.

    Parameters
    ----------
    stack
        The stack's file.
    count
        Number of clusters, or the criterion that chooses it.
    output
        Folder for ``labels.tif``, ``centroids.csv``, ``clusters.json`` and the figure ``clusters.png``.
    bin_factor
        How many neighbouring channels are averaged before.
    seed
        Of the random stream.
    method, position_weight, most, restarts, device
        As of `beamforge.classical.clustering.cluster`.
    """
    from beamforge.classical.clustering import cluster as group
    from beamforge.provenance import provenance
    from beamforge.reduction.binning import bin_channels
    from beamforge.reporting.figures import cluster_overview

    opened = open_stack(stack)
    if bin_factor != 1:
        opened = bin_channels(opened, bin_factor)
    settings: dict[str, Any] = {"method": method, "position_weight": position_weight, "restarts": restarts}
    found = group(opened, count, default_rng(seed), most=most, device=device, **settings)
    origin = provenance(
        simulated=bool(opened.attrs.get("simulated", False)),
        seed=seed,
        recipe={"count": count, "most": most, "bin_factor": bin_factor, **settings},
        source=str(stack),
    )
    found.save(output, provenance=origin)
    units = opened.attrs.get("units")
    figure = cluster_overview(found.labels, found.centroids, found.channels, found.correlation, units=units)
    with atomic_path(Path(output) / "clusters.png") as temporary:
        figure.savefig(temporary, format="png", dpi=150)
    return found


def classify(
    stack: str | Path,
    labels: str | Path,
    output: str | Path,
    *,
    method: str = "random_forest",
    sigmas_px: tuple[float, ...] = (1.0, 2.0, 4.0),
    pixels_per_class: int = 2000,
    seed: int = 0,
) -> Classifier:
    """Train a classical classifier on scribbles or a full mask and write it as one JSON file.

    `evaluate` and `segment` take the file as they take a network; see
    `beamforge.classical.pixels.train_classifier` for the methods.
    """
    from beamforge.classical.pixels import Filters, train_classifier

    opened = open_stack(stack)
    marked = open_labels(labels, stack=opened)
    check_pair(opened, marked, str(stack), str(labels))
    filters = Filters(sigmas_px=sigmas_px)
    rng = default_rng(seed)
    trained = train_classifier(opened, marked, method, rng, filters=filters, pixels_per_class=pixels_per_class)
    trained.save(output)
    return trained
