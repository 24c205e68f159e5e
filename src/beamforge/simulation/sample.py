"""One labelled image on its way through a scenario."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from beamforge.arrays import Float32, Integers

Parameters = dict[str, Any]
"""What a step drew: names to JSON-able values; large draws are NumPy arrays."""


@dataclass(frozen=True)
class Sample:
    """An image, its labels, and what every step drew to make them.

    Attributes
    ----------
    image
        float32 (channel, y, x); no channel before an intensity has run.
    labels
        unsigned integers (y, x), 255 = ignore.
    parameters
        ``seed``, ``index`` and, under ``draws``, the parameters of each step by its key in the scenario.
    extras
        Further arrays a step hands to later ones or to the user, such as grain numbers (y, x), by name.
    """

    image: Float32
    labels: Integers
    parameters: Parameters = field(default_factory=dict)
    extras: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def empty(cls) -> Self:
        """Make the sample a scenario starts from: no pixels, no channels."""
        return cls(np.zeros((0, 0, 0), np.float32), np.zeros((0, 0), np.uint8))

    def replace(self, **changes: Any) -> Self:
        """Make a copy with some attributes changed."""
        return dataclasses.replace(self, **changes)
