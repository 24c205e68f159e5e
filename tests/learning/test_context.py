import math

import pytest
import torch
from torch import nn

from beamforge.learning.context import context_radius


def blur(weights: torch.Tensor) -> nn.Module:
    layer = nn.Conv2d(2, 3, weights.shape[-1], padding=weights.shape[-1] // 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(weights.expand_as(layer.weight))
    return layer


@pytest.mark.parametrize("radius", [0, 1, 4, 9])
def test_of_a_box_it_is_the_radius(radius: int) -> None:
    side = 2 * radius + 1
    assert context_radius(blur(torch.ones(side, side)), torch.zeros(2, 2, 64, 48)) == radius


def test_of_a_gaussian_it_holds_99_percent() -> None:
    sigma, reach = 3.0, 20
    x = torch.arange(-reach, reach + 1, dtype=torch.float64)
    line = torch.exp(-(x**2) / (2 * sigma**2))
    radius = context_radius(blur(torch.outer(line, line).float()), torch.zeros(1, 2, 96, 96))
    # The square [-r - ½, r + ½]² holds erf((r + ½)/(σ√2))² of a Gaussian.
    share = [math.erf((r + 0.5) / (sigma * math.sqrt(2))) ** 2 for r in range(reach)]
    assert radius == next(r for r, inside in enumerate(share) if inside >= 0.99)


def test_no_more_than_half_the_image_is_found() -> None:
    assert context_radius(blur(torch.ones(61, 61)), torch.zeros(1, 2, 32, 32)) == 16
