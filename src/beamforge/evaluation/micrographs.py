"""Judging segmentations of micrographs of grains; intervals are over micrographs, whose parts resemble each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from beamforge.arrays import Float64
from beamforge.errors import InputError
from beamforge.evaluation.bootstrap import Bootstrap, Estimate, resampled_weights
from beamforge.evaluation.boundaries import BoundaryCounts
from beamforge.evaluation.confusion import confusion
from beamforge.evaluation.grains import GrainAgreement, Grains, GrainSizes, grains_between
from beamforge.stack import IGNORE

Labels = NDArray[np.integer]
BOUNDARY = 1
"""Class number of boundaries; 0 is the inside of grains."""


class MicrographScores(BaseModel):
    """How well boundaries and grains were found; counts are summed over all pictures before dividing.

    Attributes
    ----------
    mean_iou, boundary_iou, pixel_error
        Overlap of the classes, mean and of boundaries alone, and share of wrong pixels. They depend mostly on how
        wide boundaries are drawn.
    precision, recall, f
        Of boundary skeletons at the tolerance; see `BoundaryCounts`.
    adapted_rand_error, false_splits, false_merges
        Means over pictures; see `GrainAgreement`.
    grains_predicted, grains_true
        Mean number of grains in a picture, counted as in ASTM E112.
    intercept_predicted, intercept_true
        Mean lineal intercepts in px, by the boundaries that lines cross.
    tolerance
        In px.
    pictures, micrographs
        What was judged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean_iou: Estimate
    boundary_iou: Estimate
    pixel_error: Estimate
    precision: Estimate
    recall: Estimate
    f: Estimate
    adapted_rand_error: float
    false_splits: float
    false_merges: float
    grains_predicted: float
    grains_true: float
    intercept_predicted: float
    intercept_true: float
    tolerance: float
    pictures: int
    micrographs: int

    @classmethod
    def of(
        cls,
        pairs: Sequence[tuple[Labels, Labels]],
        groups: Sequence[str],
        *,
        tolerance: float = 3.0,
        bootstrap: Bootstrap | None = None,
        grains: Sequence[Grains] | None = None,
    ) -> Self:
        """Judge predictions beside truths.

        Parameters
        ----------
        pairs
            Predicted and true labels (y, x): 0 grain, 1 boundary, 255 ignore.
        groups
            Which micrograph each picture is of.
        tolerance
            Largest distance in px between skeletons that are the same boundary.
        bootstrap
            How the intervals over micrographs are computed.
        grains
            Numbers (y, x) of the predicted grains, where more is known of them than the predicted labels tell; by
            default what lies between predicted boundaries.

        Raises
        ------
        InputError
            If there is nothing to judge.
        """
        if not pairs:
            raise InputError("no annotated picture to judge on")
        names = sorted(set(groups))
        counts = np.zeros((len(names), 8))
        instances = []
        numbered = grains or [grains_between(predicted == BOUNDARY) for predicted, _ in pairs]
        for (predicted, truth), group, numbers in zip(pairs, groups, numbered, strict=True):
            counts[names.index(group)] += _counts(predicted, truth, tolerance)
            instances.append(_instances(predicted, truth, numbers))
        weights = _weights(len(names), bootstrap or Bootstrap())
        estimates = {name: _estimate(statistic, counts, weights, bootstrap) for name, statistic in _STATISTICS.items()}
        means = {name: float(np.mean([one[name] for one in instances])) for name in instances[0]}
        return cls.model_validate(
            {**estimates, **means, "tolerance": tolerance, "pictures": len(pairs), "micrographs": len(names)}
        )


def _counts(predicted: Labels, truth: Labels, tolerance: float) -> Float64:
    """Give the four confusions (true class, predicted class) and the four counts of skeletons."""
    known = truth != IGNORE
    found, real = (predicted == BOUNDARY) & known, truth == BOUNDARY
    pixels = confusion(truth, predicted, 2).ravel()
    lines = BoundaryCounts.of(found, real, tolerance)
    return np.array([*pixels, lines.predicted, lines.predicted_near, lines.true, lines.true_near], np.float64)


def _instances(predicted: Labels, truth: Labels, numbers: Grains) -> dict[str, float]:
    real = grains_between(truth == BOUNDARY)
    agreement = GrainAgreement.of(numbers, real)
    sizes = {
        "predicted": GrainSizes.of(numbers, predicted == BOUNDARY),
        "true": GrainSizes.of(real, truth == BOUNDARY),
    }
    side = float(max(truth.shape))
    return {
        **agreement.model_dump(include={"adapted_rand_error", "false_splits", "false_merges"}),
        **{f"grains_{name}": size.count for name, size in sizes.items()},
        # A picture without any boundary says no more than that the intercept is larger than the picture.
        **{f"intercept_{name}": min(size.intercept, side) for name, size in sizes.items()},
    }


def _weights(groups: int, bootstrap: Bootstrap) -> Float64 | None:
    if groups < 2:
        return None
    return np.concatenate(list(resampled_weights(groups, bootstrap.resamples, bootstrap.rng)))


def _estimate(
    statistic: Callable[[Float64], Float64], counts: Float64, weights: Float64 | None, bootstrap: Bootstrap | None
) -> Estimate:
    value = float(statistic(counts.sum(axis=0)))
    if weights is None:
        return Estimate(value=value)
    low, high = np.quantile(statistic(weights @ counts), (bootstrap or Bootstrap()).tails)
    return Estimate(value=value, interval=(float(low), float(high)))


def _over(part: Float64, whole: Float64) -> Float64:
    """Divide; 0 where there is nothing."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _ious(c: Float64) -> tuple[Float64, Float64]:
    wrong = c[..., 1] + c[..., 2]
    return _over(c[..., 0], c[..., 0] + wrong), _over(c[..., 3], c[..., 3] + wrong)


def _mean_iou(c: Float64) -> Float64:
    inside, boundary = _ious(c)
    return np.asarray((inside + boundary) / 2.0)


def _f(c: Float64) -> Float64:
    precision, recall = _over(c[..., 5], c[..., 4]), _over(c[..., 7], c[..., 6])
    return _over(2.0 * precision * recall, precision + recall)


_STATISTICS: dict[str, Callable[[Float64], Float64]] = {
    "mean_iou": _mean_iou,
    "boundary_iou": lambda c: _ious(c)[1],
    "pixel_error": lambda c: _over(c[..., 1] + c[..., 2], c[..., :4].sum(axis=-1)),
    "precision": lambda c: _over(c[..., 5], c[..., 4]),
    "recall": lambda c: _over(c[..., 7], c[..., 6]),
    "f": _f,
}
