"""Columns that respond differently: what radiographs show of fibres and read-out, and sinograms turn into rings."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.random import Generator

from beamforge.simulation.interval import LogInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.step import Degradation


class Stripes(Degradation, name="stripes"):
    """Multiplies columns, rows or rings around the middle by factors of their own, the same in all channels.

    Columns of the measured open beams spread by 1.7 %; after division by an open beam about a tenth of it is left.

    Attributes
    ----------
    spread
        Relative standard deviation between the stripes.
    along
        ``columns``, ``rows``, or ``rings`` in a reconstructed slice.
    """

    spread: LogInterval = LogInterval(low=0.001, high=0.017)
    along: Literal["columns", "rows", "rings"] = "columns"

    def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
        """Draw the factors and multiply."""
        rows, columns = sample.image.shape[1:]
        if self.along == "rings":
            y, x = np.ogrid[:rows, :columns]
            stripe = np.rint(np.hypot(y - (rows - 1) / 2.0, x - (columns - 1) / 2.0)).astype(np.int64)
        else:
            stripe = np.arange(columns)[None, :] if self.along == "columns" else np.arange(rows)[:, None]
        factors = 1.0 + parameters["spread"] * rng.standard_normal(int(stripe.max(initial=0)) + 1)
        return sample.replace(image=sample.image * factors.astype(np.float32)[stripe])
