"""Parts of diffraction projections of rotated polycrystals."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.random import Generator, SeedSequence, default_rng
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator
from scipy.sparse import csr_array

from beamforge.errors import InputError
from beamforge.physics.crystals import Crystal
from beamforge.physics.labdct import Instrument
from beamforge.simulation.degradations.projection_contrast import SPOTS
from beamforge.simulation.labdct.content import numbered_content
from beamforge.simulation.labdct.forward import ForwardModel
from beamforge.simulation.polycrystals.laguerre import Polycrystal
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Scene

_HELD = 512
"""Projections kept in memory; where spots are not, they take none."""
_MODELS = 8


class SpotProjection(Scene, name="spot_projection"):
    """Cuts tiles out of exactly simulated projections of a few polycrystals.

    The image is the expected number of photons of the spots alone; labels are 1 where a spot is (`content_image`).
    Each of `volumes` polycrystals is drawn by its number and `seed` and seen under `angles` angles; tiles
    are turned and mirrored.

    Source: Fang et al. 2021 train on tiles of 181 projections of a few polycrystals.

    Attributes
    ----------
    polycrystal
        Name of a preset (``D18``, ``D35``, ``D64``) or its settings.
    crystal
        Name of a built-in crystal or its settings.
    instrument
        Name of a preset or its settings; or several, which the polycrystals are given in turn.
    families
        Families of reflections.
    volumes, angles
        How many polycrystals, and how many angles around the full turn.
    seed
        Of the polycrystals.
    tile
        Side in px.
    edge
        σ in px of the Laplacian of Gaussian that says how far a spot reaches.
    floor
        Photons a spot's pixel has at least.
    centred
        Share of the tiles that are laid around a pixel of a spot; the others are anywhere on the detector.
    turned
        Whether tiles are turned and mirrored.
    """

    polycrystal: Polycrystal = Polycrystal.named("D18")
    crystal: Crystal = Crystal.named("Fe")
    instrument: Instrument | tuple[Instrument, ...] = Instrument()
    families: PositiveInt = 4
    volumes: PositiveInt = 4
    angles: PositiveInt = 36
    seed: NonNegativeInt = 0
    tile: PositiveInt = 128
    edge: PositiveFloat = 1.0
    floor: PositiveFloat = 1.0
    centred: float = Field(default=0.5, ge=0.0, le=1.0)
    turned: bool = True

    @field_validator("polycrystal", "crystal", "instrument", mode="before")
    @classmethod
    def _named(cls, value: Any, info: Any) -> Any:
        kinds: dict[str, Any] = {"polycrystal": Polycrystal, "crystal": Crystal, "instrument": Instrument}

        def of(one: Any) -> Any:
            return kinds[info.field_name].named(one) if isinstance(one, str) else one

        return tuple(of(one) for one in value) if isinstance(value, list | tuple) else of(value)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.instruments:
            raise ValueError("the list of instruments is empty, expected one or more")
        if len(self.instruments) > self.volumes:
            raise ValueError(
                f"{len(self.instruments)} instruments look at {self.volumes} polycrystals; draw at least as many"
            )
        for instrument in self.instruments:
            if self.tile > min(instrument.geometry.shape):
                raise ValueError(
                    f"a tile of {self.tile} px does not fit on a detector of {instrument.geometry.shape} px"
                )
        return self

    @property
    def instruments(self) -> tuple[Instrument, ...]:
        """All instruments; that of a polycrystal is the one at its number modulo theirs."""
        return (self.instrument,) if isinstance(self.instrument, Instrument) else self.instrument

    def draw(self, sample: Sample, rng: Generator) -> Parameters:
        """Draw polycrystal, angle and place."""
        volume, angle = int(rng.integers(self.volumes)), int(rng.integers(self.angles))
        last = np.array(self.instruments[volume % len(self.instruments)].geometry.shape) - self.tile
        corner = rng.integers(0, last, endpoint=True)
        if rng.random() < self.centred:
            places = np.stack(self.projection(volume, angle)[1].nonzero(), axis=1)
            corner = np.clip(places[rng.integers(len(places))] - rng.integers(0, self.tile, 2), 0, last)
        return {
            "volume": volume,
            "angle": angle,
            "top": int(corner[0]),
            "left": int(corner[1]),
            "turn": int(rng.integers(8)) if self.turned else 0,
        }

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Cut the tile out."""
        clean, numbers = self.projection(parameters["volume"], parameters["angle"])
        rows = slice(parameters["top"], parameters["top"] + self.tile)
        columns = slice(parameters["left"], parameters["left"] + self.tile)
        parts = [part[rows, columns].toarray() for part in (clean, numbers)]
        turn = parameters["turn"]
        parts = [np.rot90(part, turn % 4) for part in parts]
        image, spots = (np.ascontiguousarray(part[:, ::-1] if turn >= 4 else part) for part in parts)
        return sample.replace(
            image=image[None], labels=(spots > 0).astype(np.uint8), extras={**sample.extras, SPOTS: spots}
        )

    def projection(self, volume: int, angle: int) -> tuple[csr_array, csr_array]:
        """Give photons, float32, and numbers of spots, int32, of a whole projection (y, x), sparse."""
        return _projection(self._settings, volume, angle)

    @property
    def _settings(self) -> str:
        content = self.model_dump(mode="json", exclude={"tile", "centred", "turned", "volumes"})
        return json.dumps(content, sort_keys=True)


@lru_cache(maxsize=_MODELS)
def _model(settings: str, volume: int) -> ForwardModel:
    step = SpotProjection.model_validate(json.loads(settings) | {"tile": 1, "volumes": _MODELS})
    digest = int.from_bytes(hashlib.sha256(step.polycrystal.model_dump_json().encode()).digest()[:4], "big")
    grains = step.polycrystal.draw(default_rng(SeedSequence([step.seed, volume, digest])))
    return ForwardModel(
        volume=grains,
        crystal=step.crystal,
        instrument=step.instruments[volume % len(step.instruments)],
        body=step.polycrystal.body,
        families=step.families,
        visible=step.floor,
    )


@lru_cache(maxsize=_HELD)
def _projection(settings: str, volume: int, angle: int) -> tuple[csr_array, csr_array]:
    known = json.loads(settings)
    # Angles between whole steps, so that volumes do not share them.
    omega = 360.0 * (angle + (0.618033988749895 * volume) % 1.0) / known["angles"]
    projection = _model(settings, volume).project(omega)
    numbers = numbered_content(projection.image, projection.owners, sigma=known["edge"], floor=known["floor"])
    if not numbers.any():
        raise InputError(
            f"the projection at {omega:g}° holds no spot; take more families, more exposure or another instrument"
        )
    clean = np.where(projection.image >= 0.05, projection.image, np.float32(0.0))
    return csr_array(clean), csr_array(numbers)
