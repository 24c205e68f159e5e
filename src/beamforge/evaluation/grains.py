"""Grains as a materials scientist counts them: instances, their sizes, and how two maps of them agree."""

from __future__ import annotations

import math
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.ndimage import distance_transform_edt, gaussian_filter, label

from beamforge.arrays import Float32, Float64
from beamforge.errors import InputError

Grains = NDArray[np.int32]
Mask = NDArray[np.bool_]
_DIAGONAL = math.sqrt(2.0)
_LEVELS = 255


def grains_between(boundaries: Mask, least_area: int = 9) -> Grains:
    """Number the grains that boundaries part.

    Parameters
    ----------
    boundaries
        (y, x); a grain is what hangs together, along the axes, without crossing one.
    least_area
        Grains of fewer px are given to their neighbours, as boundary pixels are.

    Returns
    -------
    (y, x) numbers from 1 on; a boundary pixel has the number of the nearest grain. All 0 if there is no grain.
    """
    numbers, count = label(~np.asarray(boundaries, bool))
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)
    kept = sizes >= least_area
    kept[0] = False
    numbers = np.where(kept, np.cumsum(kept), 0)[numbers].astype(np.int32)
    if not kept.any():
        return np.asarray(numbers, np.int32)
    nearest = distance_transform_edt(numbers == 0, return_distances=False, return_indices=True)
    return np.asarray(numbers[tuple(nearest)], np.int32)


def flooded_grains(probability: Float32, smoothing: float = 2.0, depth: float = 0.2) -> Grains:
    """Number the grains that boundaries part, however many gaps these have.

    The probability of a boundary is flooded from its basins (watershed; Beucher and Lantuéjoul 1979), so that a line
    that breaks off is carried on along the ridge of what is left of it. `grains_between` joins two grains by one gap.

    Parameters
    ----------
    probability
        Of a boundary (y, x), from 0 to 1.
    smoothing
        Standard deviation in px of the Gaussian that the probability is smoothed by before.
    depth
        Least height of the pass that parts a basin from a deeper one (its dynamics; Grimaud 1992), from 0 to 1;
        shallower basins belong to their neighbours.

    Returns
    -------
    (y, x) numbers from 1 on.

    Raises
    ------
    InputError
        If the depth is out of range or finer than the 255 levels that are told apart.
    """
    from skimage.morphology import h_minima
    from skimage.segmentation import watershed

    pass_height = round(_LEVELS * depth)
    if not 1 <= pass_height <= _LEVELS:
        raise InputError(f"a depth of {depth}, expected one from {1 / _LEVELS:.3f} to 1")
    levels = np.rint(_LEVELS * gaussian_filter(probability, smoothing, mode="nearest")).astype(np.uint8)
    basins, count = label(h_minima(levels, pass_height))
    if count == 0:
        return np.ones(levels.shape, np.int32)
    return np.asarray(watershed(levels, basins), np.int32)


class GrainAgreement(BaseModel):
    """How two maps of grains agree.

    Attributes
    ----------
    adapted_rand_error
        1 less the F score of pairs of pixels that lie in the same grain; 0 is best (Arganda-Carreras et al. 2015).
    false_splits, false_merges
        The two parts of the variation of information in bits: entropy of the prediction given the truth and of the
        truth given the prediction (Meilă 2007).
    predicted, true
        Number of grains.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    adapted_rand_error: float
    false_splits: float
    false_merges: float
    predicted: int
    true: int

    @classmethod
    def of(cls, predicted: Grains, truth: Grains) -> Self:
        """Compare two maps (y, x) of grain numbers above 0.

        Raises
        ------
        InputError
            If the shapes differ.
        """
        from skimage.metrics import adapted_rand_error, variation_of_information

        if predicted.shape != truth.shape:
            raise InputError(f"the prediction has shape {predicted.shape}, the truth {truth.shape}; they must agree")
        error, _, _ = adapted_rand_error(truth, predicted, ignore_labels=())
        splits, merges = variation_of_information(truth, predicted, ignore_labels=())
        return cls(
            adapted_rand_error=float(error),
            false_splits=float(splits),
            false_merges=float(merges),
            predicted=len(np.unique(predicted)),
            true=len(np.unique(truth)),
        )

    @property
    def variation_of_information(self) -> float:
        """Sum of both parts in bits."""
        return self.false_splits + self.false_merges


class GrainSizes(BaseModel):
    """How large grains are, in px, and in the numbers of ASTM E112 where the size of a pixel is known.

    Attributes
    ----------
    count
        Grains in the field as the planimetric method counts them: one for each inside, a half for each that the
        border cuts, a quarter for each at a corner.
    areas
        Areas in px of the grains that the border does not cut, in growing order.
    intercept
        Mean lineal intercept in px along lines in four directions (Heyn); infinite without any boundary.
    field
        Number of pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: float
    areas: tuple[int, ...]
    intercept: float
    field: int

    @classmethod
    def of(cls, grains: Grains, boundaries: Mask | None = None) -> Self:
        """Measure grains.

        Parameters
        ----------
        grains
            Numbers above 0 (y, x).
        boundaries
            Lines (y, x) whose crossings give the intercept, as Heyn counts them, which needs no closed grain; by
            default boundaries are where the numbers change.
        """
        sizes = np.bincount(grains.ravel())
        border = np.unique(np.concatenate([grains[0], grains[-1], grains[:, 0], grains[:, -1]]))
        corners = np.unique(grains[np.ix_([0, -1], [0, -1])])
        inside = np.setdiff1d(np.flatnonzero(sizes), [*border, 0])
        cut = np.setdiff1d(border, corners)
        # Four corners of a quarter each make one, however many grains share them.
        count = len(inside) + len(cut) / 2.0 + 1.0
        return cls(
            count=count,
            areas=tuple(sorted(int(size) for size in sizes[inside])),
            intercept=mean_intercept(grains) if boundaries is None else crossed_intercept(boundaries),
            field=grains.size,
        )

    @property
    def mean_area(self) -> float:
        """Pixels of the field per grain."""
        return self.field / self.count

    @property
    def diameters(self) -> Float64:
        """Diameters in px of circles with the areas of the grains that the border does not cut."""
        return np.sqrt(4.0 / math.pi * np.asarray(self.areas, np.float64))

    def astm_from_intercept(self, pixel_size: float) -> float:
        """Give the grain size number G of E112-13, Eq. in its Table 6: −6.643856·log₁₀(l) − 3.288, l in mm.

        Parameters
        ----------
        pixel_size
            In µm.
        """
        return -6.643856 * math.log10(self.intercept * _mm(pixel_size)) - 3.288

    def astm_from_count(self, pixel_size: float) -> float:
        """Give the planimetric grain size number of E112-13: 3.321928·log₁₀(N) − 2.954, N grains per mm².

        Parameters
        ----------
        pixel_size
            In µm.
        """
        return 3.321928 * math.log10(1.0 / (self.mean_area * _mm(pixel_size) ** 2)) - 2.954


def mean_intercept(grains: Grains | Mask) -> float:
    """Divide the length of all lines along both axes and both diagonals, in px, by the changes of number they meet."""
    along_axes = [(grains[1:], grains[:-1]), (grains[:, 1:], grains[:, :-1])]
    diagonal = [(grains[1:, 1:], grains[:-1, :-1]), (grains[1:, :-1], grains[:-1, 1:])]
    length = sum(one.size for one, _ in along_axes) + _DIAGONAL * sum(one.size for one, _ in diagonal)
    crossed = sum(int((one != other).sum()) for one, other in (*along_axes, *diagonal))
    return length / crossed if crossed else math.inf


def crossed_intercept(boundaries: Mask) -> float:
    """Divide the length of all lines along both axes and both diagonals, in px, by the boundaries (y, x) they cross.

    A gap in a boundary loses the lines that run through it and no others, whereas it joins two grains altogether.
    """
    # Whoever crosses a line of whatever width goes in and out: two changes.
    return 2.0 * mean_intercept(np.asarray(boundaries, bool))


def _mm(pixel_size: float) -> float:
    if not pixel_size > 0.0:
        raise InputError(f"a pixel size of {pixel_size} µm, expected one above 0")
    return pixel_size / 1000.0
