"""Is what a generator simulates what was measured: fit again, to simulated pixels."""

from __future__ import annotations

from numpy.random import Generator

from beamforge.recipes.baselines import intensity_model
from beamforge.simulation import Scenario
from beamforge.simulation.validation import RefitDifferences, validate


def refit(scenario: Scenario, rng: Generator) -> RefitDifferences | None:
    """Compare a generator's fitted intensities with a second fit; None if it fills pixels another way."""
    model = intensity_model(scenario)
    return None if model is None else validate(model, rng)
