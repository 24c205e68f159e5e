"""Predicting slices and judging what came out."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from beamforge.evaluation import Scores, confusion, predict_image
from beamforge.evaluation.consistency import Consistency, slice_consistency
from beamforge.evaluation.overlap import mean_iou
from beamforge.evaluation.particles import ParticleScores, label_particles, score_particles
from beamforge.io.slices import AnnotatedSlices
from beamforge.predictor import Predictor
from beamforge.recipes.comparison.results import RunScores, VoteScores
from beamforge.segmentation.vote import consistency_vote
from beamforge.stack import IGNORE, as_stack

WINDOW = 1024
"""Side in px of what is predicted at once: slices of common detectors go through whole."""

_VOTERS = 3
"""Contiguous slices from which a vote is possible."""

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Predicted:
    """Predicted labels (y, x) by the slice's number, and the median time per slice in seconds."""

    labels: Mapping[int, Labels]
    seconds: float


def predict_slices(predictor: Predictor, slices: AnnotatedSlices, numbers: Sequence[int], reach: int) -> Predicted:
    """Predict slices one by one; reading them does not count."""
    labels: dict[int, Labels] = {}
    seconds = []
    for number in numbers:
        stack = as_stack(slices.window(number, reach), slices.window_channels(reach))
        start = time.perf_counter()
        labels[number] = predict_image(predictor, stack, WINDOW)
        seconds.append(time.perf_counter() - start)
    return Predicted(labels, statistics.median(seconds))


def contiguous_runs(slices: AnnotatedSlices, numbers: Sequence[int]) -> list[list[int]]:
    """Group slices that lie on top of one another without a gap; separate images stay alone."""
    if not slices.ordered:
        return [[number] for number in numbers]
    runs: list[list[int]] = []
    for number in sorted(numbers):
        here = slices.slices[number]
        if runs:
            before = slices.slices[runs[-1][-1]]
            if (before.volume, before.part, before.z + 1) == (here.volume, here.part, here.z):
                runs[-1].append(number)
                continue
        runs.append([number])
    return runs


def judge(
    slices: AnnotatedSlices,
    predicted: Predicted,
    background: int,
    *,
    train_seconds: float,
    target_seconds: float | None = None,
) -> RunScores:
    """Compare predicted slices with their labels."""
    classes = len(slices.classes)
    numbers = list(predicted.labels)
    counts = np.stack([_confusion(slices, number, predicted.labels[number]) for number in numbers])
    particles, consistencies = [], []
    for run in contiguous_runs(slices, numbers):
        for same_size in _by_size(slices, run):
            truth, found = _volume(slices, predicted, same_size)
            particles.append(score_particles(truth, found, classes, background=background))
            if truth.ndim == 3:
                true_particles, _ = label_particles(truth, background)
                consistencies.append(slice_consistency(found, classes, background=background, particles=true_particles))
    return RunScores(
        scores=Scores.from_confusions(counts, slices.classes.names),
        particles=ParticleScores.total(particles),
        consistency=_added(consistencies),
        vote=_judge_vote(slices, predicted, background),
        train_seconds=train_seconds,
        target_seconds=target_seconds,
        predict_seconds=predicted.seconds,
    )


def _judge_vote(slices: AnnotatedSlices, predicted: Predicted, background: int) -> VoteScores | None:
    """Compare the labels before and after a vote over neighbouring slices."""
    classes = len(slices.classes)
    runs = [run for run in contiguous_runs(slices, list(predicted.labels)) if len(run) >= _VOTERS]
    groups = [group for run in runs for group in _by_size(slices, run) if len(group) >= _VOTERS]
    if not groups:
        return None
    pairs = [_volume(slices, predicted, group) for group in groups]
    voted = [np.stack(list(consistency_vote(found, classes, background=background))) for _, found in pairs]
    before = _slice_scores([(truth, found) for truth, found in pairs], classes, background)
    after = _slice_scores([(truth, found) for (truth, _), found in zip(pairs, voted, strict=True)], classes, background)
    return VoteScores(
        mean_iou=before[0],
        voted_mean_iou=after[0],
        class_accuracy=before[1],
        voted_class_accuracy=after[1],
        flip_rate=before[2],
        voted_flip_rate=after[2],
    )


def _slice_scores(
    pairs: Sequence[tuple[Labels, Labels]], classes: int, background: int
) -> tuple[float, float | None, float | None]:
    """Give mean IoU, the class accuracy of cross-sections, and the flip rate of truth and prediction (z, y, x)."""
    counts = np.sum([confusion(truth, found, classes, valid=found != IGNORE) for truth, found in pairs], axis=0)
    sections = ParticleScores.total(
        score_particles(one, other, classes, background=background)
        for truth, found in pairs
        for one, other in zip(truth, found, strict=True)
    )
    flips = _added([
        slice_consistency(found, classes, background=background, particles=label_particles(truth, background)[0])
        for truth, found in pairs
    ])  # fmt: skip
    return float(mean_iou(counts)), sections.class_accuracy, flips.flip_rate if flips else None


def _confusion(slices: AnnotatedSlices, number: int, found: Labels) -> NDArray[np.int64]:
    valid = np.isfinite(slices.image(number)).all(axis=0)
    return confusion(slices.labels(number), found, len(slices.classes), valid=valid)


def _by_size(slices: AnnotatedSlices, run: Sequence[int]) -> list[list[int]]:
    return [list(group) for _, group in itertools.groupby(run, key=lambda number: slices.labels(number).shape)]


def _volume(slices: AnnotatedSlices, predicted: Predicted, run: Sequence[int]) -> tuple[Labels, Labels]:
    """Stack truth and prediction (z, y, x); a single slice stays (y, x)."""
    truth = np.stack([slices.labels(number) for number in run])
    found = np.stack([predicted.labels[number] for number in run])
    found = np.where(truth == IGNORE, IGNORE, found).astype(np.uint8)
    return (truth, found) if len(run) > 1 else (truth[0], found[0])


def _added(parts: Sequence[Consistency]) -> Consistency | None:
    if not parts:
        return None
    return Consistency(pairs=sum(one.pairs for one in parts), flips=sum(one.flips for one in parts))
