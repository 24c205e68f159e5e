"""Boundary loss: wrong pixels cost their distance to the true boundary, whatever the size of the class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from beamforge.arrays import Float32
from beamforge.learning.losses import LOSSES
from beamforge.learning.losses.dice import dice
from beamforge.stack import IGNORE

if TYPE_CHECKING:
    from torch import Tensor


@LOSSES.register("boundary")
def boundary(logits: Tensor, labels: Tensor, *, reach: float = 20.0, dice_weight: float = 1.0) -> Tensor:
    """Give the mean over pixels of Σ p φ / reach, summed over classes, plus the weighted Dice loss.

    φ is the signed distance in px to the class: outside it that to its nearest pixel, inside minus that to the nearest
    pixel of another class, both cut off at `reach`. Pixels labelled 255 count nowhere and belong to no class.

    Source: Kervadec et al. 2019, Eq. 5; the cut makes a class that is absent from an image as far away as any can be.

    Parameters
    ----------
    logits
        (batch, class, y, x).
    labels
        int64 (batch, y, x).
    reach
        Largest distance in px.
    dice_weight
        Weight of the Dice loss beside it; the boundary term alone is least for an empty prediction of small classes.
    """
    import torch

    counted = labels != IGNORE
    numbers = labels.cpu().numpy()
    maps = np.stack([signed_distances(image, logits.shape[1], reach) for image in numbers])
    distances = torch.from_numpy(maps).to(logits)
    terms = (logits.softmax(dim=1) * distances).sum(dim=1) * counted
    found = terms.sum() / (reach * counted.sum().clamp(min=1))
    return found if dice_weight == 0 else found + dice_weight * dice(logits, labels)


def signed_distances(labels: NDArray[np.int64], classes: int, reach: float) -> Float32:
    """Give the signed distance in px of each pixel to each class (class, y, x) for labels (y, x)."""
    maps = np.empty((classes, *labels.shape), np.float32)
    counted = labels != IGNORE
    for number in range(classes):
        inside = labels == number
        others = counted & ~inside
        to_class = distance_transform_edt(~inside) if inside.any() else np.full(labels.shape, reach)
        to_others = distance_transform_edt(~others) if others.any() else np.full(labels.shape, reach)
        maps[number] = np.where(inside, -np.minimum(to_others, reach), np.minimum(to_class, reach))
    return maps
