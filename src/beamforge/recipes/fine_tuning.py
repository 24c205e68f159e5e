"""How a network that learnt from simulation goes on with annotated measurements."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveInt

from beamforge.recipes.settings import Settings


class FineTuning(Settings):
    """How a trained network goes on learning from a few annotated images."""

    training: dict[str, Any] = Field(default_factory=dict)
    """What differs from the recipe's ``training``."""
    measured: PositiveInt = 3
    simulated: NonNegativeInt = 1
    """In which proportion measured tiles and simulated ones take turns."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Share of the fine-tuned weights in the result; the rest are those of before (Wortsman et al. 2022)."""
