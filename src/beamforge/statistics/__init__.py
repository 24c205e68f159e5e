"""Distributions and correlations of grey values per class and channel, and how well they fit."""

from beamforge.statistics.correlation import Correlation, CorrelationKind
from beamforge.statistics.marginals import EmpiricalMarginals, JohnsonMarginals, Marginals
from beamforge.statistics.model import IntensityModel, MarginalKind

__all__ = [
    "Correlation",
    "CorrelationKind",
    "EmpiricalMarginals",
    "IntensityModel",
    "JohnsonMarginals",
    "MarginalKind",
    "Marginals",
]
