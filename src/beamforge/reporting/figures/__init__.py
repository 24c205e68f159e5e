"""Figures of a report: pure functions of arrays and records that return `matplotlib.figure.Figure`."""

from beamforge.reporting.figures.clusters import cluster_overview, spectra_with_edges
from beamforge.reporting.figures.detector import signal_over_noise
from beamforge.reporting.figures.hardness import hardness_panels
from beamforge.reporting.figures.intensities import fitted_densities
from beamforge.reporting.figures.learning_curve import learning_curve
from beamforge.reporting.figures.maps import channel_correlations, class_channel_maps, confusion_matrix
from beamforge.reporting.figures.measurement import measurement
from beamforge.reporting.figures.predictions import Example, prediction_panels
from beamforge.reporting.figures.repeats import repeats_chart
from beamforge.reporting.figures.scores import Score, score_chart
from beamforge.reporting.figures.simulation import correlation_by_lag, simulated_beside_measured
from beamforge.reporting.figures.training import training_curves
from beamforge.reporting.figures.volume import particle_distributions, volume_rendering

__all__ = [
    "Example",
    "Score",
    "channel_correlations",
    "class_channel_maps",
    "cluster_overview",
    "confusion_matrix",
    "correlation_by_lag",
    "fitted_densities",
    "hardness_panels",
    "learning_curve",
    "measurement",
    "particle_distributions",
    "prediction_panels",
    "repeats_chart",
    "score_chart",
    "signal_over_noise",
    "simulated_beside_measured",
    "spectra_with_edges",
    "training_curves",
    "volume_rendering",
]
