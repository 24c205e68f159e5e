"""Steps, scenarios and data sets."""

from beamforge.simulation.interval import IntegerInterval, Interval, LogInterval, MeasuredInterval
from beamforge.simulation.sample import Parameters, Sample
from beamforge.simulation.scenario import Scenario
from beamforge.simulation.step import Degradation, Intensity, Scene, Step, step_class, step_names

__all__ = [
    "Degradation",
    "IntegerInterval",
    "Intensity",
    "Interval",
    "LogInterval",
    "MeasuredInterval",
    "Parameters",
    "Sample",
    "Scenario",
    "Scene",
    "Step",
    "step_class",
    "step_names",
]
