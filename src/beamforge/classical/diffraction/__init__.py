"""The standard routine for diffraction spots: rolling median, Laplacian of Gaussian, four parameters."""

from beamforge.classical.diffraction.laplacian import LaplacianSpots
from beamforge.classical.diffraction.tuning import Operating, Tuned, tune, tune_curve, unbeaten

__all__ = ["LaplacianSpots", "Operating", "Tuned", "tune", "tune_curve", "unbeaten"]
