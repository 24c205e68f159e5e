"""Choosing the strength of smoothing on simulated data, so that no measured test pixel has a say in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

from beamforge.arrays import Float64, Integers
from beamforge.classical.classifier import Classifier
from beamforge.classical.mean_field import MeanField
from beamforge.errors import InputError
from beamforge.simulation import Scenario
from beamforge.stack import IGNORE


def tuned(
    classifier: Classifier,
    scenario: Scenario,
    *,
    seed: int,
    samples: int = 4,
    strengths: Sequence[float] = (4.0, 16.0),
    sigmas_px: Sequence[float] = (1.0, 2.0, 4.0, 8.0),
    temperatures: Sequence[float] = (1.0, 4.0, 16.0),
    iterations: int = 5,
) -> MeanField:
    """Find the mean field that does best on simulated samples.

    Best is the largest recall averaged over the classes, a draw being won by the weaker smoothing. No smoothing at
    all, a strength of 0, is among the candidates.

    Parameters
    ----------
    classifier
        Whose log-likelihoods are smoothed; its own smoothing does not matter.
    scenario
        Simulates what the classifier will meet; the correlation of its noise decides the temperature.
    seed
        Of the scenario; samples 0, 1, … are drawn.
    samples
        How many samples to judge on.
    strengths, sigmas_px, temperatures
        Values of `MeanField` to try in all combinations.
    iterations
        Rounds of messages.

    Raises
    ------
    InputError
        If the scenario is not of the classifier's classes and channels.
    """
    if scenario.classes.names != classifier.classes.names or len(scenario.channels) != len(classifier.channels):
        raise InputError(
            f"the scenario simulates {len(scenario.channels)} channels of {list(scenario.classes.names)}, the "
            f"classifier takes {len(classifier.channels)} channels of {list(classifier.classes.names)}"
        )
    drawn = [scenario(seed, index) for index in range(samples)]
    judged = [(classifier.log_likelihoods(sample.image), sample.labels) for sample in drawn]
    fields = [MeanField(strength=0.0, iterations=1)]
    fields += [
        MeanField(strength=strength, sigma_px=sigma, temperature=temperature, iterations=iterations)
        for strength, sigma, temperature in product(sorted(strengths), sorted(sigmas_px), sorted(temperatures))
    ]
    return max(fields, key=lambda field: _mean_recall(field, judged, len(classifier.classes)))


def _mean_recall(field: MeanField, judged: Iterable[tuple[Float64, Integers]], classes: int) -> float:
    """Average over the classes the share of their pixels that is found."""
    right, total = np.zeros(classes), np.zeros(classes)
    for likelihoods, labels in judged:
        found = field(likelihoods).argmax(axis=0)
        counted = labels != IGNORE
        truth = labels[counted]
        total += np.bincount(truth, minlength=classes)
        right += np.bincount(truth[found[counted] == truth], minlength=classes)
    return float(np.mean(right[total > 0] / total[total > 0]))
