"""Johnson's system of distributions: the curves and three ways to fit them."""

from beamforge.statistics.johnson.curves import Family, Johnson
from beamforge.statistics.johnson.likelihood_fit import fit_likelihood
from beamforge.statistics.johnson.moment_fit import fit_moments
from beamforge.statistics.johnson.quantile_fit import QUANTILE_PROBABILITIES, fit_quantiles
from beamforge.statistics.johnson.refinement import refine

__all__ = ["QUANTILE_PROBABILITIES", "Family", "Johnson", "fit_likelihood", "fit_moments", "fit_quantiles", "refine"]
