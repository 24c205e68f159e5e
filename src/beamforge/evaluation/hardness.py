"""Which parameters of a simulation make its samples hard.

The answer tells a user what to model better: a network that fails where noise is strong needs truer noise there, one
that fails nowhere in particular needs other things.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

from beamforge.arrays import Float64, Float64Field
from beamforge.errors import InputError
from beamforge.evaluation.intervals import t_interval

FEWEST = 40
"""Samples without which nothing is said."""
_GRID = 24
_BINS = 6
_FOLDS = 5
_TREES = 100
_SHUFFLES = 3


class ParameterHardness(BaseModel):
    """How the score depends on one parameter.

    Attributes
    ----------
    name
        ``STEP.PARAMETER``.
    importance
        By how much the share of the scores' variance that the parameters explain falls when this one is shuffled, on
        samples that the model of the scores was not fitted to; 0 or below if it tells nothing.
    grid, dependence
        Values of the parameter (point,) and the partial dependence (point,): the mean over all samples of the expected
        score if this parameter had that value and all others were as they are (Friedman 2001, section 8.2).
    edges
        Of bins that hold about as many samples each (bin + 1,).
    means, low, high
        Mean score in each bin and its 95 % interval by t (bin,), with nothing else kept equal.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    name: str
    importance: float
    grid: Float64Field
    dependence: Float64Field
    edges: Float64Field
    means: Float64Field
    low: Float64Field
    high: Float64Field

    @property
    def span(self) -> float:
        """Largest minus smallest expected score over the parameter's range."""
        return float(np.ptp(self.dependence))

    @property
    def hardest(self) -> float:
        """The value at which the lowest score is expected."""
        return float(self.grid[int(np.argmin(self.dependence))])

    @property
    def easiest(self) -> float:
        """The value at which the highest score is expected."""
        return float(self.grid[int(np.argmax(self.dependence))])


class Hardness(BaseModel):
    """How the score of a sample depends on what was drawn for it, JSON-able.

    Attributes
    ----------
    score
        What the score is.
    samples
        How many samples were scored.
    explained
        Share of the scores' variance that the parameters explain, on samples left out of the fit (R², cross-validated);
        the rest is the luck of the layout and of the noise. Near 0 or below, the parameters say nothing.
    parameters
        The most important first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: str
    samples: int
    explained: float
    parameters: tuple[ParameterHardness, ...]

    def telling(self, least: float = 0.01) -> tuple[ParameterHardness, ...]:
        """Give the parameters that explain at least this share of the variance."""
        return tuple(one for one in self.parameters if one.importance >= least)


def find_hardness(
    scores: ArrayLike, parameters: Mapping[str, ArrayLike], *, score: str = "mean IoU", seed: int = 0
) -> Hardness:
    """Find out how scores depend on parameters.

    Extremely randomised trees are fitted to the scores (Geurts et al. 2006); their error, and the importance of each
    parameter by shuffling (Breiman 2001), are taken on samples left out of the fit.

    Parameters
    ----------
    scores
        Of each sample (sample,), the higher the better; samples of NaN are left out.
    parameters
        Numeric parameters of the samples (sample,) by name; those that do not vary are left out.
    score
        What the score is, for tables and figures.
    seed
        Of the trees, the folds and the shuffling.

    Raises
    ------
    InputError
        If fewer than 40 samples have a score, or lengths differ, or no parameter varies.
    """
    values = np.asarray(scores, dtype=np.float64)
    columns = {name: np.asarray(column, dtype=np.float64) for name, column in parameters.items()}
    for name, column in columns.items():
        if column.shape != values.shape:
            raise InputError(f"{len(column)} values of {name} for {len(values)} scores; every sample needs one")
    scored = np.isfinite(values)
    if scored.sum() < FEWEST:
        raise InputError(f"{int(scored.sum())} samples have a score, at least {FEWEST} are needed; score more")
    values = values[scored]
    columns = {name: column[scored] for name, column in columns.items() if np.ptp(column[scored]) > 0}
    if not columns:
        raise InputError("no numeric parameter differs between the samples; widen an interval of the scenario")
    table = np.stack(list(columns.values()), axis=1)
    explained, importances = _left_out(table, values, seed)
    trees = _trees(seed).fit(table, values)
    found = [
        _describe(name, importances[number], _dependence(trees, table, number), table[:, number], values)
        for number, name in enumerate(columns)
    ]
    found.sort(key=lambda one: -one.importance)
    return Hardness(score=score, samples=len(values), explained=explained, parameters=tuple(found))


def _trees(seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesRegressor

    return ExtraTreesRegressor(_TREES, min_samples_leaf=3, random_state=seed, n_jobs=1)


def _left_out(table: Float64, values: Float64, seed: int) -> tuple[float, Float64]:
    """Give R² on left-out samples, and by how much it falls when each parameter is shuffled among them (parameter,)."""
    from sklearn.model_selection import KFold

    rng = np.random.default_rng(seed)
    predicted = np.empty_like(values)
    shuffled = np.empty((_SHUFFLES, table.shape[1], len(values)))
    for fit, left in KFold(_FOLDS, shuffle=True, random_state=seed).split(table):
        trees = _trees(seed).fit(table[fit], values[fit])
        predicted[left] = trees.predict(table[left])
        for repeat in range(_SHUFFLES):
            for number in range(table.shape[1]):
                changed = table[left].copy()
                changed[:, number] = rng.permutation(changed[:, number])
                shuffled[repeat, number, left] = trees.predict(changed)
    total = float(np.sum((values - values.mean()) ** 2))
    if total == 0.0:
        return 0.0, np.zeros(table.shape[1])
    errors = np.sum((values - shuffled) ** 2, axis=2).mean(axis=0)
    own = float(np.sum((values - predicted) ** 2))
    return 1.0 - own / total, (errors - own) / total


def _dependence(trees: Any, table: Float64, number: int) -> tuple[Float64, Float64]:
    """Give grid and partial dependence between the 2.5 and 97.5 % quantiles of a parameter."""
    from sklearn.inspection import partial_dependence

    found = partial_dependence(
        trees, table, [number], grid_resolution=_GRID, percentiles=(0.025, 0.975), method="brute", kind="average"
    )
    return np.asarray(found["grid_values"][0], np.float64), np.asarray(found["average"][0], np.float64)


def _edges(column: Float64) -> Float64:
    """Part values into bins none of which is empty: one for each value where there are few, such as yes and no."""
    distinct = np.unique(column)
    if len(distinct) > _BINS:
        return np.unique(np.quantile(column, np.linspace(0, 1, _BINS + 1), method="inverted_cdf"))
    middles = (distinct[1:] + distinct[:-1]) / 2.0
    return np.array([2.0 * distinct[0] - middles[0], *middles, 2.0 * distinct[-1] - middles[-1]])


def _describe(
    name: str, importance: float, dependence: tuple[Float64, Float64], column: Float64, values: Float64
) -> ParameterHardness:
    edges = _edges(column)
    bins: NDArray[np.intp] = np.clip(np.searchsorted(edges, column, side="right") - 1, 0, len(edges) - 2)
    groups = [values[bins == number] for number in range(len(edges) - 1)]
    ends = [t_interval(group, 0.95) or (float(group.mean()), float(group.mean())) for group in groups]
    return ParameterHardness(
        name=name,
        importance=float(importance),
        grid=dependence[0],
        dependence=dependence[1],
        edges=edges,
        means=np.array([group.mean() for group in groups]),
        low=np.array([low for low, _ in ends]),
        high=np.array([high for _, high in ends]),
    )
