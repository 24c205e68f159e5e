"""Boundary loss: wrong pixels cost their distance to the true boundary, whatever the size of the class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from beamforge.arrays import Float32
from beamforge.learning.losses import LOSSES
from beamforge.learning.losses.cross_entropy_dice import cross_entropy_dice
from beamforge.stack import IGNORE

if TYPE_CHECKING:
    from torch import Tensor


@LOSSES.register("boundary")
def boundary(logits: Tensor, labels: Tensor, *, reach: float = 20.0, weight: float = 0.2) -> Tensor:
    """Give cross-entropy plus Dice loss plus `weight` times the mean over pixels of Σ p φ / reach, summed over classes.

    φ is the signed distance in px to the class: outside it that to its nearest pixel, inside minus that to the nearest
    pixel of another class, both cut off at `reach`. Pixels labelled 255 count nowhere and belong to no class.

    The boundary term alone is least where small classes are never predicted, because the many pixels far from them
    outweigh the few inside: hence the other losses, and a small weight.

    Source: Kervadec et al. 2019, Eqs. 5 and 6, with the losses of `cross_entropy_dice` in place of the generalised
    Dice loss and a weight that stays what theirs starts with (0.01 per px of distance). The cut makes a class that is
    absent from an image as far away as any can be.

    Parameters
    ----------
    logits
        (batch, class, y, x).
    labels
        int64 (batch, y, x).
    reach
        Largest distance in px.
    weight
        Of the boundary term.
    """
    import torch

    counted = labels != IGNORE
    numbers = labels.cpu().numpy()
    maps = np.stack([signed_distances(image, logits.shape[1], reach) for image in numbers])
    distances = torch.from_numpy(maps).to(logits)
    terms = (logits.softmax(dim=1) * distances).sum(dim=1) * counted
    term = terms.sum() / (reach * counted.sum().clamp(min=1))
    return cross_entropy_dice(logits, labels) + weight * term


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
