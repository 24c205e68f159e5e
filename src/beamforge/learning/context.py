"""How far around a pixel a network looks in fact."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_SHARE = 0.99
_PLACES = 4
"""Pixels at whose logits the context is measured: networks that skip pixels see differently far from each."""


def context_radius(network: nn.Module, images: Tensor) -> int:
    """Measure the radius in px within which lies 99 % of the influence on the class of a pixel.

    The influence of an input pixel is the absolute gradient of the logits in the middle with respect to it, summed
    over channels and images, the logits weighed by random signs. What a training tile does not hold cannot be
    learned to matter, so half a tile is the most that is found.

    Source: Luo et al. 2016, effective receptive fields.

    Parameters
    ----------
    network
        In evaluation mode.
    images
        Scaled images (batch, channel, y, x).
    """
    height, width = images.shape[-2:]
    inputs = images.detach().clone().requires_grad_()
    logits = network(inputs)
    signs = torch.randint(0, 2, logits.shape[:2], generator=torch.Generator().manual_seed(0)).to(logits) * 2 - 1
    weighed = (logits * signs[:, :, None, None]).sum(dim=(0, 1))
    distances = []
    influences = []
    for place in range(_PLACES):
        row, column = min(height // 2 + place, height - 1), min(width // 2 + place, width - 1)
        (gradient,) = torch.autograd.grad(weighed[row, column], inputs, retain_graph=place < _PLACES - 1)
        influences.append(gradient.abs().sum(dim=(0, 1)).double().cpu())
        rows, columns = torch.arange(height) - row, torch.arange(width) - column
        distances.append(torch.maximum(rows.abs()[:, None], columns.abs()[None, :]))
    within = torch.bincount(torch.stack(distances).ravel(), weights=torch.stack(influences).ravel()).cumsum(0)
    radius = int((within < _SHARE * within[-1]).sum())
    return min(radius, min(height, width) // 2)
