"""Lloyd's iterations on an accelerator, which multiplies matrices faster than bounds could avoid them."""

from __future__ import annotations

import numpy as np
import torch

from beamforge.arrays import Float64
from beamforge.classical.clustering.features import Features
from beamforge.classical.clustering.lloyd import Fit
from beamforge.errors import InputError


def lloyd_torch(
    features: Features, start: Float64, device: str, *, iterations: int = 300, tolerance: float = 1e-4
) -> Fit:
    """Do what `beamforge.classical.clustering.lloyd.lloyd` does on a torch device.

    The data is held on the device once, as float32; sums over pixels are taken block by block and added in float64.

    Raises
    ------
    InputError
        If there is no such device.
    """
    place = _usable(device)
    offset = features.mean.astype(np.float32)[:, None]
    data = torch.empty((features.size, features.count), dtype=torch.float32, device=place)
    for part in features.slices():
        data[:, part] = torch.from_numpy(features.block(part) - offset).to(place)
    blocks = list(features.slices())
    squares = torch.cat([(data[:, part] ** 2).sum(dim=0) for part in blocks])
    scatter = float(squares.sum(dtype=torch.float64))
    enough = tolerance * scatter / (features.count * features.size)
    centroids = torch.from_numpy(start - features.mean).to(place)
    labels, sums, sizes = _assign(data, centroids, blocks)
    moves = 0
    while moves < iterations:
        moved = sums / sizes.clamp(min=1)[:, None]
        empty = torch.nonzero(sizes == 0)[:, 0]
        if len(empty):
            own = (moved.float()[labels].T * data).sum(dim=0)
            distances = squares - 2 * own + (moved**2).sum(dim=1).float()[labels]
            moved[empty] = data[:, torch.topk(distances, len(empty)).indices].T.double()
        shift = float(((moved - centroids) ** 2).sum())
        centroids, before = moved, labels
        labels, sums, sizes = _assign(data, centroids, blocks)
        moves += 1
        if shift <= enough or torch.equal(labels, before):
            break
    own_squares = (centroids**2).sum(dim=1)
    inertia = scatter + float(sizes.double() @ own_squares) - 2 * float((centroids * sums).sum())
    return Fit(
        centroids=centroids.cpu().numpy() + features.mean,
        labels=labels.cpu().numpy(),
        sizes=sizes.cpu().numpy(),
        inertia=max(0.0, inertia),
        iterations=moves,
        exact_passes=moves + 1,
    )


def _usable(device: str) -> torch.device:
    try:
        place = torch.device(device)
        torch.empty(1, device=place)
    except (RuntimeError, AssertionError) as error:
        # Torch asserts that it was compiled for the device.
        reason = str(error).splitlines()[0]
        raise InputError(
            f"the device {device!r} cannot be used ({reason}); leave it out to use the processor"
        ) from error
    return place


def _assign(
    data: torch.Tensor, centroids: torch.Tensor, blocks: list[slice]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Give labels (pixel,), sums (cluster, feature) float64 and sizes (cluster,)."""
    single = centroids.float()
    half = 0.5 * (centroids**2).sum(dim=1).float()[:, None]
    sums = torch.zeros_like(centroids)
    found = []
    for part in blocks:
        labels = (single @ data[:, part] - half).argmax(dim=0)
        members = torch.nn.functional.one_hot(labels, len(centroids)).float()
        sums += (members.T @ data[:, part].T).double()
        found.append(labels)
    labels = torch.cat(found)
    return labels, sums, torch.bincount(labels, minlength=len(centroids))
