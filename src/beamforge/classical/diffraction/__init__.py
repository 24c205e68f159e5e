"""The standard routine for diffraction spots: rolling median, Laplacian of Gaussian, four parameters."""

from beamforge.classical.diffraction.laplacian import LaplacianSpots
from beamforge.classical.diffraction.tuning import Tuned, tune

__all__ = ["LaplacianSpots", "Tuned", "tune"]
