"""Samples near given ones: what a scenario drew for them, moved inside its intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.random import SeedSequence, default_rng

from beamforge.errors import InputError
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.scenario import Scenario
from beamforge.stack import Channel, Classes

_MOVES = 1
"""Sets the stream of the moves apart from those of the steps, which are spawned from seed and index alone."""


@dataclass(frozen=True)
class Variations:
    """Simulates variations of samples; it takes the place of a scenario in `write_dataset`.

    Sample ``i`` has the parameters of parent ``i mod n``, each numeric one moved inside its interval, and random
    streams of its own: what a step draws while it is applied, such as noise or the places of grains, is new. A sample
    depends on the seed and its index alone, and its parameters replay it under the scenario.

    Attributes
    ----------
    scenario
        What simulated the parents.
    parents
        ``sample.parameters`` of each.
    spread
        Largest move as a fraction of each interval's width, from 0 to 1.
    """

    scenario: Scenario
    parents: Sequence[Parameters]
    spread: float

    def __post_init__(self) -> None:
        """Refuse what cannot be varied."""
        if not self.parents:
            raise InputError("there is no sample to vary")
        if not 0.0 <= self.spread <= 1.0:
            raise InputError(f"spread is {self.spread}, expected a fraction from 0 to 1")

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.scenario.name

    @property
    def classes(self) -> Classes:
        """What the labels mean."""
        return self.scenario.classes

    @property
    def channels(self) -> tuple[Channel, ...]:
        """What the channels are."""
        return self.scenario.channels

    @property
    def pixel_size(self) -> float | None:
        """Side of a pixel."""
        return self.scenario.pixel_size

    @property
    def pixel_size_unit(self) -> str:
        """Its unit."""
        return self.scenario.pixel_size_unit

    def __call__(self, seed: int, index: int) -> Sample:
        """Simulate the variation with this number."""
        rng = default_rng(SeedSequence([seed, index, _MOVES]))
        varied = self.scenario.vary(self.parents[index % len(self.parents)], rng, self.spread)
        return self.scenario.replay({**varied, "seed": seed, "index": index})

    def to_dict(self) -> dict[str, Any]:
        """Give the scenario, the parents and the spread as nested dicts; arrays stay arrays."""
        return {**self.scenario.to_dict(), "parents": list(self.parents), "spread": self.spread}

    def save(self, path: str | Path) -> None:
        """Write the scenario, under which every variation can be replayed from its parameters."""
        self.scenario.save(path)
