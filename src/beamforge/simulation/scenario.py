"""A scenario: steps in a row, drawn from one seed and one index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from numpy.random import Generator, SeedSequence, default_rng
from pydantic import BaseModel, ConfigDict, SerializeAsAny, ValidationError, field_validator

from beamforge.errors import InputError
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Step, describe, load_config, save_config
from beamforge.stack import Channel, Classes


class Scenario(BaseModel):
    """Simulates labelled images.

    ``scenario(seed, index)`` depends on nothing but its two numbers: the random streams come from
    ``SeedSequence([seed, index])``, one pair (draw, apply) spawned for each step, so that any number of workers in any
    order makes the same data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "scenario"
    steps: tuple[SerializeAsAny[Step], ...]
    classes: Classes
    channels: tuple[Channel, ...]
    pixel_size: float | None = None
    pixel_size_unit: str = "µm"

    @field_validator("steps", mode="before")
    @classmethod
    def _build_steps(cls, value: Any) -> Any:
        return tuple(step if isinstance(step, Step) else Step.from_dict(step) for step in value)

    @property
    def keys(self) -> tuple[str, ...]:
        """The key of each step: its name, numbered from the second of a kind on."""
        seen: Counter[str] = Counter()
        keys = []
        for step in self.steps:
            seen[step.step_name] += 1
            count = seen[step.step_name]
            keys.append(step.step_name if count == 1 else f"{step.step_name}_{count}")
        return tuple(keys)

    def __call__(self, seed: int, index: int) -> Sample:
        """Simulate the sample with this number."""
        return self._run(seed, index, None)

    def replay(self, parameters: Mapping[str, Any], seed: int | None = None) -> Sample:
        """Simulate a sample again from its recorded parameters.

        Parameters
        ----------
        parameters
            ``sample.parameters``, or a variation of them.
        seed
            Another seed gives other noise under the same parameters; by default the recorded one.

        Raises
        ------
        InputError
            If the parameters belong to another scenario.
        """
        draws = parameters.get("draws", {})
        if set(draws) != set(self.keys):
            raise InputError(f"the parameters are of the steps {sorted(draws)}, this scenario has {list(self.keys)}")
        return self._run(parameters["seed"] if seed is None else seed, parameters["index"], draws)

    def vary(self, parameters: Mapping[str, Any], rng: Generator, spread: float) -> Parameters:
        """Move the numeric parameters of every step inside their intervals.

        Parameters
        ----------
        parameters
            ``sample.parameters``.
        rng
            Random stream of the moves.
        spread
            Largest move as a fraction of each interval's width, from 0 to 1.
        """
        if not 0.0 <= spread <= 1.0:
            raise InputError(f"spread is {spread}, expected a fraction from 0 to 1")
        draws = parameters["draws"]
        moved = {key: step.vary(draws[key], rng, spread) for key, step in zip(self.keys, self.steps, strict=True)}
        return {**parameters, "draws": moved}

    def _run(self, seed: int, index: int, draws: Mapping[str, Parameters] | None) -> Sample:
        sample = Sample.empty()
        drawn: dict[str, Parameters] = {}
        streams = SeedSequence([seed, index]).spawn(len(self.steps))
        for key, step, stream in zip(self.keys, self.steps, streams, strict=True):
            for_draw, for_apply = stream.spawn(2)
            drawn[key] = step.draw(sample, default_rng(for_draw)) if draws is None else draws[key]
            sample = step.apply(sample, drawn[key], default_rng(for_apply))
        return sample.replace(parameters={"seed": seed, "index": index, "draws": drawn})

    def to_dict(self) -> dict[str, Any]:
        """Give the scenario as nested dicts; arrays stay arrays."""
        rest = self.model_dump(exclude={"steps"})
        return {**rest, "steps": [step.to_dict() for step in self.steps]}

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> Self:
        """Build the scenario that `to_dict` described.

        Raises
        ------
        InputError
            For keys or values it does not take.
        """
        try:
            return cls.model_validate(config)
        except ValidationError as error:
            raise InputError(f"scenario: {describe(error)}") from error

    def save(self, path: str | Path) -> None:
        """Write the scenario to a folder (JSON, arrays as safetensors)."""
        save_config(self.to_dict(), path)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a scenario from a folder."""
        return cls.from_dict(load_config(path))
