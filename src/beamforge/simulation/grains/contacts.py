"""Which grains touch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def contacts(grains: NDArray[np.int32]) -> NDArray[np.int64]:
    """List pairs of grains of which pixels are neighbours along an axis.

    Parameters
    ----------
    grains
        (y, x) numbers from 0 on.

    Returns
    -------
    (pair, 2), the lower number first, each pair once.
    """
    count = int(grains.max()) + 1
    pairs = []
    for one, other in ((grains[1:], grains[:-1]), (grains[:, 1:], grains[:, :-1])):
        differs = one != other
        low, high = np.minimum(one[differs], other[differs]), np.maximum(one[differs], other[differs])
        pairs.append(low.astype(np.int64) * count + high)
    codes = np.unique(np.concatenate(pairs))
    return np.stack([codes // count, codes % count], axis=1)
