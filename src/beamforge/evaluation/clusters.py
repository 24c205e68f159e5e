"""How well clusters, whose numbers mean nothing, agree with classes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from beamforge.arrays import Integers
from beamforge.errors import InputError
from beamforge.stack import IGNORE


class Agreement(BaseModel):
    """Agreement of clusters with classes.

    Attributes
    ----------
    rand
        Adjusted Rand index: 1 for the same groups, 0 for what chance gives (Hubert & Arabie 1985).
    information
        Adjusted mutual information: the same in bits (Vinh et al. 2010).
    accuracy
        Share of the pixels in the right cluster, when each class takes the cluster that makes the sum largest.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rand: float
    information: float
    accuracy: float


def agreement(clusters: Integers, truth: Integers) -> Agreement:
    """Compare clusters with classes; pixels that are 255 in either do not count.

    Raises
    ------
    InputError
        If the shapes differ or no pixel counts.
    """
    from scipy.optimize import linear_sum_assignment
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    if clusters.shape != truth.shape:
        raise InputError(f"the clusters are {clusters.shape}, the truth {truth.shape} (y, x); they must agree")
    counted = (clusters != IGNORE) & (truth != IGNORE)
    if not counted.any():
        raise InputError("no pixel has both a cluster and a class; nothing can be compared")
    found, true = clusters[counted].astype(np.intp), truth[counted].astype(np.intp)
    table: NDArray[np.int64] = np.zeros((found.max() + 1, true.max() + 1), np.int64)
    np.add.at(table, (found, true), 1)
    rows, columns = linear_sum_assignment(table, maximize=True)
    return Agreement(
        rand=float(adjusted_rand_score(true, found)),
        information=float(adjusted_mutual_info_score(true, found)),
        accuracy=float(table[rows, columns].sum() / found.size),
    )
