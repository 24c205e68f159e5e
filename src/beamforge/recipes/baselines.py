"""The rows of the table that need no training."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from beamforge.classical import AnalyticClassifier, Classifier, GaussianClassifier, tuned
from beamforge.errors import InputError
from beamforge.files import read_json, write_json
from beamforge.predictor import Predictor
from beamforge.recipes.kinds.measurement import BaselineSettings
from beamforge.simulation import Scenario
from beamforge.simulation.intensities.johnson_field import JohnsonField
from beamforge.statistics.model import IntensityModel


def intensity_model(scenario: Scenario) -> IntensityModel | None:
    """Give the fitted intensities of a scenario; None if it fills pixels another way."""
    return next((step.model for step in scenario.steps if isinstance(step, JohnsonField)), None)


def fit_baselines(
    settings: BaselineSettings,
    scenario: Scenario,
    stack: xr.DataArray,
    labels: xr.DataArray,
    tuning_seed: int,
    folder: Path,
) -> None:
    """Fit the classifiers to the annotated measurement and write them to a folder.

    Parameters
    ----------
    settings
        Which rows.
    scenario
        The generator whose fitted intensities the maximum-likelihood classifier uses, and on whose samples its
        smoothing is chosen.
    stack, labels
        The annotated measurement.
    tuning_seed
        Seed of those samples.
    folder
        Where the classifiers go, one JSON file a row.

    Raises
    ------
    InputError
        If a row was asked for that the generator cannot give.
    """
    rows: dict[str, Classifier] = {}
    model = intensity_model(scenario)
    if model is not None:
        analytic = AnalyticClassifier(model)
        smoothing = tuned(analytic, scenario, seed=tuning_seed, samples=settings.tuning_tiles)
        rows["analytic"] = analytic
        rows["analytic, smoothed"] = AnalyticClassifier(model, smoothing)
    elif settings.generator is not None:
        raise InputError(f"baselines.generator: {scenario.name!r} has no step with fitted intensities (johnson_field)")
    for sigma in settings.gaussian_sigmas:
        name = "Gaussian" if sigma == 0 else f"Gaussian, σ = {sigma:g} px"
        rows[name] = GaussianClassifier.fit(stack, labels, smoothing_sigma=sigma)
    files = {name: f"{number:02}.json" for number, name in enumerate(rows)}
    for name, classifier in rows.items():
        classifier.save(folder / files[name])
    write_json(folder / "rows.json", files)


def load_baselines(folder: Path) -> dict[str, Predictor]:
    """Read the classifiers that `fit_baselines` wrote, by the name of their row."""
    return {name: Classifier.load(folder / file) for name, file in read_json(folder / "rows.json").items()}
