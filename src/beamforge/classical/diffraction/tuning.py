"""Choosing the four parameters of the standard routine where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from beamforge.arrays import Float32
from beamforge.classical.diffraction.laplacian import LaplacianSpots, Mask
from beamforge.errors import InputError

Judge = Callable[[Sequence[Mask]], float]
"""Says how good masks of the given projections are; the more the better."""

_BACKGROUNDS = (0.0, 6.0)  # standard deviations
_SIGMAS = (0.7, 8.0)  # px
_PERCENTS = (0.0, 0.6)
_MINIMA = (2, 40)  # px
_SPREADS = (0.15, 0.07, 0.03)


@dataclass(frozen=True)
class Tuned:
    """What a search gave.

    Attributes
    ----------
    routine
        The best one.
    score
        The judge's score of it.
    scores
        The best score after each trial.
    """

    routine: LaplacianSpots
    score: float
    scores: tuple[float, ...]


def tune(
    differences: Sequence[Float32],
    judge: Judge,
    rng: Generator,
    *,
    trials: int = 80,
    refinements: int = 20,
    start: LaplacianSpots | None = None,
) -> Tuned:
    """Search the four parameters of `LaplacianSpots`, at random at first and then around the best.

    The published setting is tried first; thresholds are drawn relative to the projections' own noise.

    Parameters
    ----------
    differences
        Projections minus their background, float32 (y, x).
    judge
        Compares their masks with the truth.
    rng
        Random stream.
    trials, refinements
        Settings drawn from everywhere, and around the best one so far at each of three distances.
    start
        What to try first.

    Raises
    ------
    InputError
        If there is nothing to tune on or no trial.
    """
    noise = _noise(differences, trials, refinements)
    best = start or LaplacianSpots()
    score = judge([best.mask(d) for d in differences])
    scores = [score]
    spreads = [None] * trials + [s for s in _SPREADS for _ in range(refinements)]
    for spread in spreads:
        candidate = _drawn(rng, noise, best, spread)
        reached = judge([candidate.mask(d) for d in differences])
        # NaN (nothing was found) never wins.
        if reached > score or not np.isfinite(score):
            best, score = candidate, reached
        scores.append(score)
    return Tuned(best, score, tuple(scores))


@dataclass(frozen=True)
class Operating:
    """One setting and what it does.

    Attributes
    ----------
    routine
        The setting.
    false
        False spots for each projection.
    recall
        Share of the true spots that are found.
    """

    routine: LaplacianSpots
    false: float
    recall: float


def tune_curve(
    differences: Sequence[Float32],
    judge: Callable[[Sequence[Mask]], tuple[float, float]],
    rng: Generator,
    *,
    most: float,
    trials: int = 80,
    refinements: int = 20,
    starts: Sequence[LaplacianSpots] = (),
) -> list[Operating]:
    """Search the settings that no other beats: as few false spots and as many true ones found.

    Like `tune`, with steps around a random one of those not beaten so far, so that the whole curve from few to many
    false spots is at its best.

    Parameters
    ----------
    differences
        Projections minus their background, float32 (y, x).
    judge
        Gives false spots for each projection and the share of the true ones that is found.
    rng
        Random stream.
    most
        False spots for each projection beyond which no setting is refined.
    trials, refinements
        See `tune`.
    starts
        What to try first.

    Returns
    -------
    The settings not beaten, by their false spots.

    Raises
    ------
    InputError
        If there is nothing to tune on or no trial.
    """
    noise = _noise(differences, trials, refinements)
    tried: list[Operating] = []

    def attempt(routine: LaplacianSpots) -> None:
        tried.append(Operating(routine, *judge([routine.mask(d) for d in differences])))

    for start in starts:
        attempt(start)
    for _ in range(trials):
        attempt(_drawn(rng, noise, LaplacianSpots(), None))
    for spread in _SPREADS:
        for _ in range(refinements):
            best = [o for o in _unbeaten(tried) if o.false <= most] or tried
            attempt(_drawn(rng, noise, best[rng.integers(len(best))].routine, spread))
    return _unbeaten(tried)


def _unbeaten(tried: Sequence[Operating]) -> list[Operating]:
    return [tried[n] for n in unbeaten([o.false for o in tried], [o.recall for o in tried])]


def unbeaten(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    """Give the places of what no other beats in both, by its cost: the Pareto front; NaN never belongs to it.

    Of equals the first stays.
    """
    order = sorted((n for n in range(len(costs)) if costs[n] == costs[n]), key=lambda n: (costs[n], -gains[n]))
    front: list[int] = []
    for place in order:
        if gains[place] > (gains[front[-1]] if front else -np.inf):
            front.append(place)
    return front


def _noise(differences: Sequence[Float32], trials: int, refinements: int) -> float:
    if not differences or trials < 1 or refinements < 0:
        raise InputError(f"{len(differences)} projections and {trials} trials: a search needs one of each at least")
    return float(np.median([1.4826 * np.median(np.abs(d - np.median(d))) for d in differences]))


def _drawn(rng: Generator, noise: float, best: LaplacianSpots, spread: float | None) -> LaplacianSpots:
    """Draw a setting: from everywhere, or with a spread (a share of each range) around the best."""
    low = np.array([_BACKGROUNDS[0], np.log(_SIGMAS[0]), _PERCENTS[0], np.log(_MINIMA[0])])
    high = np.array([_BACKGROUNDS[1], np.log(_SIGMAS[1]), _PERCENTS[1], np.log(_MINIMA[1])])
    if spread is None:
        place = rng.uniform(low, high)
    else:
        around = [best.background / noise, np.log(best.sigma), best.percent, np.log(best.minimum)]
        place = np.clip(around + spread * (high - low) * rng.standard_normal(4), low, high)
    return LaplacianSpots(
        background=float(place[0] * noise),
        sigma=float(np.exp(place[1])),
        percent=float(place[2]),
        minimum=round(float(np.exp(place[3]))),
    )
