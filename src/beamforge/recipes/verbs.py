"""What the verbs of the command line do, as functions of files.

Each function reads its inputs, calls the part of the package that does the work, and writes one artefact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.random import default_rng
from pydantic import ValidationError

from beamforge.errors import InputError
from beamforge.files import atomic_path
from beamforge.io import Inspection, inspect_file, named_classes, open_labels, open_stack
from beamforge.physics.detector_fit import fit_detector as fit_detector_to_frames
from beamforge.physics.fitted_detector import FittedDetector
from beamforge.recipes.load import load_recipe
from beamforge.recipes.predictors import load_predictor
from beamforge.recipes.run import run as run_recipe
from beamforge.recipes.schema import Outcome
from beamforge.recipes.stages import Run
from beamforge.simulation import Scenario
from beamforge.simulation.intensities.johnson_field import JohnsonField
from beamforge.simulation.scenes.checkerboard import Checkerboard
from beamforge.simulation.step import describe
from beamforge.simulation.validation import RefitDifferences
from beamforge.simulation.validation import validate as validate_model
from beamforge.stack import check_pair, is_simulated
from beamforge.statistics.correlation import CorrelationKind
from beamforge.statistics.model import IntensityModel, MarginalKind

if TYPE_CHECKING:
    from beamforge.classical import Classifier
    from beamforge.classical.clustering import Clusters
    from beamforge.classical.clustering.selection import Criterion, Method
    from beamforge.classical.spots import Cleaning
    from beamforge.evaluation import Scores
    from beamforge.recipes.volume import MeasuredVolume
    from beamforge.segmentation import Segmentation
    from beamforge.segmentation.clean_spots import CleanedSpots


def inspect(path: str | Path) -> Inspection:
    """Say what a file is; see `beamforge.io.inspect_file`."""
    return inspect_file(path)


def demo(folder: str | Path = "runs/demo") -> Outcome:
    """Run the main job on the built-in phantom."""
    return run_recipe(load_recipe("infer-demo"), folder)


def fit(
    stack: str | Path,
    labels: str | Path,
    output: str | Path,
    *,
    classes: Sequence[str] | None = None,
    legend: Mapping[Any, str] | None = None,
    unlabelled: str | None = None,
    marginal: MarginalKind = "johnson",
    correlation: CorrelationKind = "both",
    seed: int = 0,
) -> IntensityModel:
    """Learn the intensities of an annotated measurement and write them as one JSON file.

    Parameters
    ----------
    stack, labels
        The measurement.
    output
        JSON file to write.
    classes, legend, unlabelled
        What the labels mean, where their file does not say; see `beamforge.io.open_labels`.
    marginal, correlation
        What to learn; see `IntensityModel.fit`.
    seed
        Seed of the dither of whole numbers.

    Raises
    ------
    InputError
        If files cannot be read, sizes differ, or a class cannot be fitted.
    """
    opened = open_stack(stack)
    marked = open_labels(labels, classes=classes, legend=legend, unlabelled=unlabelled, stack=opened)
    model = IntensityModel.fit(opened, marked, marginal=marginal, correlation=correlation, rng=default_rng(seed))
    model.save(output)
    return model


def validate(model: str | Path, *, seed: int = 0) -> RefitDifferences:
    """Simulate with an intensity model, fit again, and give the differences."""
    return validate_model(IntensityModel.load(model), default_rng(seed))


def fit_detector(
    open_beams: Sequence[str | Path],
    darks: Sequence[str | Path],
    output: str | Path,
    *,
    seconds: Sequence[float],
    dark_seconds: Sequence[float] | None = None,
    figure: str | Path | None = None,
    seed: int = 0,
) -> FittedDetector:
    """Estimate a detector from open beam and dark images and write it as one JSON file.

    Parameters
    ----------
    open_beams, darks
        Files; every channel or frame in them counts as one exposure.
    output
        The JSON file.
    seconds, dark_seconds
        Exposure time of each open beam and dark image, or one for all; the dark images' are those of the open beams
        if None.
    figure
        Picture of the signal over noise over the exposure, if wanted.
    seed
        Of the simulations that the spots are compared with.

    Raises
    ------
    InputError
        If files cannot be read, sizes differ, or the images are not those of an open beam and dark.
    """
    beams, without = ([frame for path in paths for frame in open_stack(path).values] for paths in (open_beams, darks))
    times = _one_for_each(seconds, len(beams))
    dark_times = _one_for_each(seconds if dark_seconds is None else dark_seconds, len(without))
    fitted = fit_detector_to_frames(beams, without, times, dark_times, default_rng(seed))
    fitted.save(output)
    if figure is not None:
        from beamforge.reporting.figures import signal_over_noise

        signal_over_noise(fitted).savefig(figure, dpi=150)
    return fitted


def _one_for_each(times: Sequence[float], frames: int) -> list[float]:
    return list(times) * frames if len(times) == 1 else list(times)


def load_scenario(
    source: str | Path, *, tile: int = 192, changes: Sequence[str] = (), run_folder: str | Path | None = None
) -> Scenario:
    """Get a scenario from what a user has.

    Parameters
    ----------
    source
        An intensity model's JSON file (checkerboards are filled from it), the folder of a saved scenario, or a
        recipe, whose (first) generator is fitted.
    tile
        Side of the checkerboard tiles in px, for an intensity model.
    changes
        Settings of a recipe to change, each ``dotted.key=value``.
    run_folder
        Where a recipe's measurement and fit are kept; by default ``runs/NAME``.
    """
    path = Path(source)
    if changes and (path.suffix == ".json" or path.is_dir()):
        raise InputError(f"{source} is no recipe, so it has no settings to change; leave {changes[0]} out")
    if path.suffix == ".json":
        model = IntensityModel.load(path)
        steps = (Checkerboard(classes=len(model.classes), tile=tile), JohnsonField(model=model))
        return Scenario(name=path.stem, steps=steps, classes=model.classes, channels=model.channels)
    if path.is_dir():
        return Scenario.load(path)
    recipe = load_recipe(source, changes)
    stages = Run(run_folder or Path("runs") / recipe.name)
    with stages.locked():
        return recipe.scenario(stages)


def simulate(
    source: str | Path,
    count: int,
    output: str | Path,
    *,
    seed: int = 0,
    workers: int = 1,
    tile: int = 192,
    changes: Sequence[str] = (),
) -> Path:
    """Write simulated labelled samples as Zarr; see `load_scenario` for source and changes."""
    from beamforge.simulation.dataset import write_dataset

    write_dataset(load_scenario(source, tile=tile, changes=changes), output, count, seed, workers=workers)
    return Path(output)


def evaluate(
    model: str | Path,
    data: str | Path,
    labels: str | Path | None = None,
    *,
    tile: int = 192,
    legend: Mapping[Any, str] | None = None,
    unlabelled: str | None = None,
) -> Scores:
    """Judge a model on a stored data set, or on a measured stack with its labels.

    Parameters
    ----------
    model
        See `load_predictor`.
    data, labels
        Samples that `simulate` wrote, or a measured stack and its labels.
    tile
        Side in px of the tiles that intervals are taken over.
    legend, unlabelled
        What the labels mean, where their file does not say; see `beamforge.io.open_labels`.

    Raises
    ------
    InputError
        If files cannot be read, sizes differ, or the labels have other classes than the model.
    """
    from beamforge.evaluation import evaluate as judge
    from beamforge.evaluation import evaluate_image
    from beamforge.learning.data import StoredDataset

    predictor = load_predictor(model)
    if labels is None:
        if not (Path(data) / "parameters.jsonl").exists():
            raise InputError(f"{data} is not a simulated data set; a measured stack needs its labels as well")
        return judge(predictor, StoredDataset(data))
    stack = open_stack(data)
    written = named_classes(labels)
    if written is not None and written.names != predictor.classes.names:
        raise InputError(
            f"{labels} has the classes {', '.join(written.names)}, the model {', '.join(predictor.classes.names)}; "
            "they must be the same in the same order"
        )
    names = predictor.classes.names
    marked = open_labels(labels, classes=names, legend=legend, unlabelled=unlabelled, stack=stack)
    return evaluate_image(predictor, stack, marked, tile=tile)


def segment(model: str | Path, stack: str | Path, output: str | Path) -> Segmentation:
    """Segment a stack of any size and write its labels as TIFF or OME-Zarr, with a quick look beside."""
    from beamforge.segmentation import segment as apply

    return apply(load_predictor(model), open_stack(stack), output)


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
    probability: float = 0.5,
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
        Folder of a network trained on simulated projections, and from which probability on a pixel is a spot.
    window
        Projections of the rolling median, odd.
    routine
        Settings of the standard routine, `beamforge.classical.diffraction.LaplacianSpots`, which decides without a
        model.

    Raises
    ------
    InputError
        If files cannot be read or used, or model and routine are both given.
    """
    from beamforge.classical.diffraction import LaplacianSpots
    from beamforge.segmentation.clean_spots import NetworkSpotFinder, SpotFinder
    from beamforge.segmentation.clean_spots import clean_spots as clean_projections

    if model is not None and routine is not None:
        raise InputError("clean_spots: a model and settings of the routine are both given; give one of them")
    finder: SpotFinder
    if model is not None:
        finder = NetworkSpotFinder(load_predictor(model), probability=probability)
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


def compare(recipe: str | Path, folder: str | Path | None = None, *, changes: Sequence[str] = ()) -> Outcome:
    """Compare networks on annotated slices and say which one to take.

    Parameters
    ----------
    recipe
        A recipe of the kind ``comparison``: a file, or the name of a shipped one.
    folder
        Folder of the run; by default ``runs/NAME``.
    changes
        Settings to change, each ``dotted.key=value``.

    Raises
    ------
    InputError
        If the recipe is of another kind.
    """
    from beamforge.recipes.kinds.comparison import ComparisonRecipe

    loaded = load_recipe(recipe, changes)
    if not isinstance(loaded, ComparisonRecipe):
        raise InputError(
            f"{recipe} is a recipe of the kind {loaded.kind!r}, expected 'comparison'; use `beamforge run`"
        )
    return run_recipe(loaded, folder or Path("runs") / loaded.name)


def prepare(steps: str | Path, stack: str | Path, output: str | Path) -> Path:
    """Let every slice of a volume, or every channel of a stack, go through the steps that a comparison fitted.

    Parameters
    ----------
    steps
        Folder ``preprocessing`` of the comparison's run.
    stack
        The volume, of any size: one slice is held at a time.
    output
        ``.tif`` or ``.zarr``, float32.
    """
    import numpy as np

    from beamforge.io.stack_writer import open_stack_writer
    from beamforge.provenance import provenance
    from beamforge.recipes.comparison.preparation import apply_steps, load_steps

    loaded, opened = load_steps(steps), open_stack(stack)
    origin = provenance(simulated=is_simulated(opened), recipe={"steps": str(steps)}, source=str(stack))
    with open_stack_writer(output, opened.astype(np.float32), provenance=origin) as write:
        for number in range(opened.sizes["channel"]):
            plane = np.asarray(opened.data[number], dtype=np.float32)
            write(number, 0, apply_steps(loaded, plane[None])[0])
    return Path(output)


def volume(
    labels: str | Path, output: str | Path, *, background: str | None = None, vote: bool = False, least: int = 8
) -> MeasuredVolume:
    """Measure a label volume; see `beamforge.recipes.volume.measure_labels`."""
    from beamforge.recipes.volume import measure_labels

    return measure_labels(labels, output, background=background, vote=vote, least=least)


def report(folder: str | Path) -> Path:
    """Write the report of a finished run again."""
    recipe = Path(folder) / "recipe.yaml"
    if not recipe.exists():
        raise InputError(f"{folder} is not a run: it holds no recipe.yaml")
    stages = Run(folder)
    stages.recall()
    return load_recipe(recipe).write_report(stages)
