"""The numbers among what a scenario drew, as a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from beamforge.arrays import Float64
from beamforge.simulation.sample import Parameters


def numeric_parameters(samples: Sequence[Parameters]) -> dict[str, Float64]:
    """Collect the numbers that steps drew, those that differ between samples.

    Parameters
    ----------
    samples
        ``sample.parameters`` of each.

    Returns
    -------
    Values (sample,) by ``STEP.PARAMETER``, yes as 1 and no as 0. Lists, arrays and texts are left out, and so is what
    some samples lack.
    """
    tables = [
        {
            f"{step}.{name}": float(value)
            for step, drawn in sample["draws"].items()
            for name, value in drawn.items()
            if isinstance(value, int | float)
        }
        for sample in samples
    ]
    shared = [name for name in (tables[0] if tables else {}) if all(name in table for table in tables)]
    columns = {name: np.array([table[name] for table in tables]) for name in shared}
    return {name: values for name, values in columns.items() if np.ptp(values) > 0}
