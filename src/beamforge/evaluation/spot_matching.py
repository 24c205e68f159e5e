"""Diffraction spots found and true, one by one: recall by signal-to-noise ratio and size, merged and split spots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import center_of_mass, label
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from beamforge.arrays import Float64, Integers
from beamforge.errors import InputError

AROUND = np.ones((3, 3), np.int8)
"""Pixels that touch, corners included, belong to one spot."""
LEAST_OVERLAP = 0.1
"""Intersection over union from which a found and a true spot may be the same."""
_MOST_OF = 0.5


@dataclass(frozen=True)
class Spots:
    """Regions of a projection with numbers from 1.

    Attributes
    ----------
    numbers
        (y, x), 0 is none.
    areas
        Pixels (spot,).
    centres
        Row and column (spot, 2) of the mean pixel.
    """

    numbers: Integers
    areas: Integers
    centres: Float64

    @classmethod
    def of_mask(cls, mask: NDArray[Any]) -> Spots:
        """Take the regions of a mask whose pixels touch, corners included."""
        return cls.of_numbers(label(mask, AROUND)[0])

    @classmethod
    def of_numbers(cls, numbers: Integers) -> Spots:
        """Take numbered regions; numbers that no pixel has are closed up."""
        known = np.unique(numbers)
        dense = np.searchsorted(known[known > 0], numbers) + 1
        dense = np.where(numbers > 0, dense, 0)
        count = int(np.count_nonzero(known > 0))
        areas = np.bincount(dense.ravel(), minlength=count + 1)[1:]
        places = np.array(center_of_mass(dense > 0, dense, np.arange(1, count + 1)), np.float64).reshape(-1, 2)
        return cls(dense, areas, places)

    def __len__(self) -> int:
        return len(self.areas)


@dataclass(frozen=True)
class Matching:
    """Which found spot is which true one.

    Attributes
    ----------
    found, true
        The spots.
    partners
        For each true spot the place of the found one in its list, -1 for none; no found spot stands twice.
    merged
        Found spots that cover most of two or more true ones.
    split
        True spots most of which two or more found ones cover, each lying mostly inside.
    alarms
        Found spots that touch nothing true and nothing that counts neither way.
    """

    found: Spots
    true: Spots
    partners: Integers
    merged: int
    split: int
    alarms: int

    @property
    def recalled(self) -> NDArray[np.bool_]:
        """Which true spots were found (true,)."""
        return np.asarray(self.partners >= 0)

    @property
    def centroid_errors(self) -> Float64:
        """Distance in px (matched,) between the centres of matched spots."""
        hit = self.recalled
        away = self.found.centres[self.partners[hit]] - self.true.centres[hit]
        return np.asarray(np.hypot(away[:, 0], away[:, 1]))

    @property
    def area_errors(self) -> Float64:
        """|found area - true area| / true area (matched,)."""
        hit = self.recalled
        of_true = self.true.areas[hit].astype(np.float64)
        return np.asarray(np.abs(self.found.areas[self.partners[hit]] - of_true) / of_true)


def shared_area_errors(first: Matching, second: Matching) -> tuple[Float64, Float64]:
    """Give the relative errors (spot,) of the area of the true spots that both matchings found.

    Who finds more weak spots has more that are hard to outline; on the same spots that counts against neither.

    Raises
    ------
    InputError
        If the true spots are not the same.
    """
    if len(first.true) != len(second.true) or (first.true.areas != second.true.areas).any():
        raise InputError(f"the matchings are to {len(first.true)} and {len(second.true)} true spots, expected the same")
    both = first.recalled & second.recalled
    return first.area_errors[both[first.recalled]], second.area_errors[both[second.recalled]]


def match_spots(found: Spots, true: Spots, either: NDArray[np.bool_] | None = None) -> Matching:
    """Match spots one to one, such that the sum of their overlaps (intersection over union) is largest.

    Parameters
    ----------
    found, true
        Of images of one size.
    either
        Pixels (y, x) of spots too faint to ask for; finding them is neither right nor wrong.

    Raises
    ------
    InputError
        If the sizes differ.
    """
    if found.numbers.shape != true.numbers.shape:
        raise InputError(f"spots were found in {found.numbers.shape} but the truth is {true.numbers.shape} (y, x)")
    shared = _shared(found, true)
    touching = np.unique(found.numbers[true.numbers > 0])
    if either is not None:
        touching = np.union1d(touching, found.numbers[either])
    alarms = len(found) - int(np.count_nonzero(touching > 0))
    rows, columns, pixels = shared.row, shared.col, shared.data
    of_true = pixels / true.areas[columns]
    of_found = pixels / found.areas[rows]
    merged = int(np.count_nonzero(np.bincount(rows[of_true > _MOST_OF], minlength=len(found)) > 1))
    inside = of_found > _MOST_OF
    parts = np.bincount(columns[inside], minlength=len(true))
    covered = np.bincount(columns[inside], weights=of_true[inside], minlength=len(true))
    split = int(np.count_nonzero((parts > 1) & (covered > _MOST_OF)))
    return Matching(found, true, _assigned(shared, found, true), merged, split, alarms)


def _shared(found: Spots, true: Spots) -> coo_array:
    """Count the pixels that found (row) and true spots (column) share."""
    both = (found.numbers > 0) & (true.numbers > 0)
    pairs = (found.numbers[both] - 1, true.numbers[both] - 1)
    counts = coo_array((np.ones(len(pairs[0]), np.int64), pairs), shape=(len(found), len(true)))
    counts.sum_duplicates()
    return counts


def _assigned(shared: coo_array, found: Spots, true: Spots) -> Integers:
    """Solve the assignment in each group of spots that touch by themselves: there are many and they are small."""
    partners = np.full(len(true), -1)
    rows, columns, pixels = shared.row, shared.col, shared.data
    overlap = pixels / (found.areas[rows] + true.areas[columns] - pixels)
    near = overlap >= LEAST_OVERLAP
    rows, columns, overlap = rows[near], columns[near], overlap[near]
    nodes = len(found) + len(true)
    links = coo_array((np.ones(len(rows)), (rows, columns + len(found))), shape=(nodes, nodes))
    group = connected_components(links, directed=False)[1][rows] if len(rows) else rows
    order = np.argsort(group, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if not len(members):
            continue
        r, at_r = np.unique(rows[members], return_inverse=True)
        c, at_c = np.unique(columns[members], return_inverse=True)
        gains = np.zeros((len(r), len(c)))
        gains[at_r, at_c] = overlap[members]
        for i, j in zip(*linear_sum_assignment(gains, maximize=True), strict=True):
            if gains[i, j] > 0.0:
                partners[c[j]] = r[i]
    return partners


@dataclass(frozen=True)
class SpotJudgement:
    """Matchings of several projections with the properties of their true spots.

    Attributes
    ----------
    matchings
        One for each projection.
    ratios
        Signal-to-noise ratio (spot,) of every true spot of each projection.
    """

    matchings: Sequence[Matching]
    ratios: Sequence[Float64]

    def __post_init__(self) -> None:
        if [len(m.true) for m in self.matchings] != [len(r) for r in self.ratios]:
            raise InputError("every true spot needs its signal-to-noise ratio; the numbers differ")

    @property
    def alarms(self) -> float:
        """False spots for each projection."""
        return float(np.mean([m.alarms for m in self.matchings]))

    @property
    def precision(self) -> float:
        """Share of the found spots that are no false ones."""
        found = sum(len(m.found) for m in self.matchings)
        return 1.0 - sum(m.alarms for m in self.matchings) / found if found else float("nan")

    @property
    def quality(self) -> float:
        """Sum of the overlaps of matched spots over (matched + missed / 2 + false / 2): panoptic quality."""
        overlap = sum(float(_overlaps(m).sum()) for m in self.matchings)
        hits = sum(int(m.recalled.sum()) for m in self.matchings)
        true = sum(len(m.true) for m in self.matchings)
        weight = hits + 0.5 * (true - hits) + 0.5 * sum(m.alarms for m in self.matchings)
        return overlap / weight if weight else float("nan")

    @property
    def merged(self) -> float:
        """Found spots that cover several true ones, for each projection."""
        return float(np.mean([m.merged for m in self.matchings]))

    @property
    def split(self) -> float:
        """True spots found in several parts, for each projection."""
        return float(np.mean([m.split for m in self.matchings]))

    def recall(
        self, ratio: tuple[float, float] = (0.0, np.inf), area: tuple[float, float] = (0.0, np.inf)
    ) -> tuple[float, Float64, Integers]:
        """Give the share of the true spots found with a signal-to-noise ratio and an area (px) inside [low, high).

        Returns
        -------
        share
            NaN where there are none.
        found, there
            Their numbers in each projection, for intervals over projections.
        """
        found, there = [], []
        for matching, ratios in zip(self.matchings, self.ratios, strict=True):
            chosen = (ratios >= ratio[0]) & (ratios < ratio[1])
            chosen &= (matching.true.areas >= area[0]) & (matching.true.areas < area[1])
            found.append(np.count_nonzero(matching.recalled & chosen))
            there.append(np.count_nonzero(chosen))
        total = sum(there)
        return (sum(found) / total if total else float("nan")), np.array(found, np.float64), np.array(there)

    def area_error(self, ratio: tuple[float, float] = (0.0, np.inf)) -> float:
        """Give the mean relative error of the area of the matched spots with a ratio inside [low, high)."""
        return self._mean([m.area_errors for m in self.matchings], ratio)

    def centroid_error(self, ratio: tuple[float, float] = (0.0, np.inf)) -> float:
        """Give the mean distance in px of the centres of matched spots with a ratio inside [low, high)."""
        return self._mean([m.centroid_errors for m in self.matchings], ratio)

    def _mean(self, errors: Sequence[Float64], ratio: tuple[float, float]) -> float:
        kept = []
        for matching, ratios, values in zip(self.matchings, self.ratios, errors, strict=True):
            of_matched = ratios[matching.recalled]
            kept.append(values[(of_matched >= ratio[0]) & (of_matched < ratio[1])])
        values = np.concatenate(kept) if kept else np.zeros(0)
        return float(values.mean()) if len(values) else float("nan")


def _overlaps(matching: Matching) -> Float64:
    """Give the intersection over union (matched,) of matched spots."""
    shared = _shared(matching.found, matching.true)
    table = {(int(r), int(c)): int(p) for r, c, p in zip(shared.row, shared.col, shared.data, strict=True)}
    values = []
    for true, found in enumerate(matching.partners):
        if found >= 0:
            both = table[int(found), true]
            values.append(both / (matching.found.areas[found] + matching.true.areas[true] - both))
    return np.array(values, np.float64)
