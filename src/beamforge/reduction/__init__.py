"""From raw frames to transmission, fringe amplitudes and dark field."""

from beamforge.reduction.dark_field import dark_field
from beamforge.reduction.frames import combined, dark_corrected
from beamforge.reduction.fringes import Fringes, fit_fringes
from beamforge.reduction.interferometry import (
    FringeMeasurement,
    PhaseScan,
    invalid_pixels,
    reduce_fringes,
    reduce_series,
)
from beamforge.reduction.phase_steps import StepEstimate, estimate_steps
from beamforge.reduction.radiograph import TransmissionReport, transmission
from beamforge.reduction.region import Region

__all__ = [
    "FringeMeasurement",
    "Fringes",
    "PhaseScan",
    "Region",
    "StepEstimate",
    "TransmissionReport",
    "combined",
    "dark_corrected",
    "dark_field",
    "estimate_steps",
    "fit_fringes",
    "invalid_pixels",
    "reduce_fringes",
    "reduce_series",
    "transmission",
]
