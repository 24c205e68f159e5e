"""What a comparison found: scores and costs of every network and seed, JSON-able."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from beamforge.arrays import Float64
from beamforge.evaluation import Bootstrap, Scores
from beamforge.evaluation.consistency import Consistency
from beamforge.evaluation.overlap import iou, ratio
from beamforge.evaluation.particles import ParticleScores
from beamforge.evaluation.repeats import Repeats
from beamforge.learning.cost import Cost

LEVEL = 0.95


class VoteScores(BaseModel):
    """What the vote over neighbouring slices changed.

    Attributes
    ----------
    mean_iou, voted_mean_iou
        Before and after, over the slices of contiguous runs of three and more.
    class_accuracy, voted_class_accuracy
        Share of the found cross-sections of particles, slice by slice, whose class is right; None if none is found.
    flip_rate, voted_flip_rate
        Flips of class between neighbouring slices of the true particles.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean_iou: float
    voted_mean_iou: float
    class_accuracy: float | None
    voted_class_accuracy: float | None
    flip_rate: float | None
    voted_flip_rate: float | None


class RunScores(BaseModel):
    """One network under one seed, judged on the test slices.

    Attributes
    ----------
    scores
        Overlap, each slice counted as one tile.
    particles
        Particles found, by size.
    consistency
        Flips of class between neighbouring slices of the true particles; None of separate images.
    vote
        What a vote over neighbouring slices changes; None without contiguous slices.
    train_seconds
        Time of the whole training, validation included.
    target_seconds
        Time until the validation slices first reached the target; None if they never did.
    predict_seconds
        Median time per slice while the test slices were predicted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scores: Scores
    particles: ParticleScores
    consistency: Consistency | None = None
    vote: VoteScores | None = None
    train_seconds: float
    target_seconds: float | None = None
    predict_seconds: float

    def figures(self, background: int) -> dict[str, float]:
        """Give the figures of the table by name; those that are undefined are left out."""
        per_class = iou(self.scores.confusion)
        foreground = np.delete(per_class, background)
        found: dict[str, float | None] = {
            "mean IoU": self.scores.mean_iou.value,
            "mean IoU without background": None if np.isnan(foreground).all() else float(np.nanmean(foreground)),
            **{f"IoU {one.name}": one.iou.value for one in self.scores.per_class if one.iou is not None},
            "particle recall": self.particles.recall,
            "particle class accuracy": self.particles.class_accuracy,
            "composite particles right": self.particles.composite_accuracy,
            "flips between slices": self.consistency.flip_rate if self.consistency else None,
            "training s": self.train_seconds,
        }
        return {name: value for name, value in found.items() if value is not None}


class ComparisonResult(BaseModel):
    """The table of a comparison.

    Attributes
    ----------
    classes
        Names of the classes.
    background
        Number of the class that is no particle.
    target
        Mean IoU the time to which was counted.
    networks, classical
        Scores of every row by seed.
    costs
        What the networks cost, by row.
    random_split
        The first network judged under a random split, by seed; empty if it was not asked for.
    slices
        Annotated slices of each part.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    classes: tuple[str, ...]
    background: int
    target: float
    networks: dict[str, dict[int, RunScores]]
    classical: dict[str, dict[int, RunScores]]
    costs: dict[str, Cost]
    random_split: dict[int, RunScores]
    slices: dict[str, int]

    @property
    def rows(self) -> dict[str, dict[int, RunScores]]:
        """All rows, networks first."""
        return self.networks | self.classical

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that all rows share."""
        return tuple(next(iter(self.rows.values())))

    def repeats(self, figure: str) -> Repeats | None:
        """Give a figure over the seeds, of the rows that have it in every run; None if no row does."""
        rows = {}
        for name, runs in self.rows.items():
            values = [run.figures(self.background).get(figure) for run in runs.values()]
            if all(value is not None for value in values):
                rows[name] = tuple(values)
        bootstrap = Bootstrap(resamples=10_000, level=LEVEL)
        return Repeats(figure=figure, seeds=self.seeds, rows=rows, bootstrap=bootstrap) if rows else None

    def mean(self, row: str, figure: str) -> float | None:
        """Average a figure of a row over the seeds that have it."""
        values = [run.figures(self.background).get(figure) for run in self.rows[row].values()]
        known = [value for value in values if value is not None]
        return float(np.mean(known)) if known else None

    def target_seconds(self, row: str) -> float | None:
        """Average the time to the target; None unless every seed reached it."""
        times = [run.target_seconds for run in self.rows[row].values()]
        return (
            None
            if any(time is None for time in times)
            else float(np.mean([time for time in times if time is not None]))
        )

    def confusion(self, row: str) -> Float64:
        """Give the confusion matrix of all seeds as shares of each true class (class, class)."""
        counts = np.sum([run.scores.confusion for run in self.rows[row].values()], axis=0).astype(np.float64)
        totals = counts.sum(axis=1, keepdims=True)
        return ratio(counts, totals)

    def particles(self, row: str) -> ParticleScores:
        """Add the particle counts of all seeds."""
        return ParticleScores.total(run.particles for run in self.rows[row].values())

    def as_scores(self) -> dict[str, dict[str, float]]:
        """Give the means over the seeds: row, figure, value."""
        names = dict.fromkeys(
            name for runs in self.rows.values() for run in runs.values() for name in run.figures(self.background)
        )
        table: dict[str, dict[str, Any]] = {row: {name: self.mean(row, name) for name in names} for row in self.rows}
        return {row: {n: v for n, v in figures.items() if v is not None} for row, figures in table.items()}
