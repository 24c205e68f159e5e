"""Gaussian mixtures of spectra, by scikit-learn in the leading directions."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from beamforge.classical.clustering.features import Features
from beamforge.classical.clustering.sketch import Sketch
from beamforge.errors import InputError


@dataclass(frozen=True)
class Mixture:
    """A fitted mixture and the directions it lives in."""

    sketch: Sketch
    model: GaussianMixture

    @classmethod
    def fit(cls, sample: Features, count: int, rng: Generator, *, directions: int = 8, restarts: int = 3) -> Mixture:
        """Fit full covariances to a sample.

        Parameters
        ----------
        sample
            Pixels to fit.
        count
            Number of components.
        rng
            Random stream.
        directions
            In how many leading principal directions; the rest is taken as noise.
        restarts
            How many starts.

        Raises
        ------
        InputError
            If there are too few pixels.
        """
        if sample.count < 2 * count:
            raise InputError(f"{sample.count} usable pixels are too few for a mixture of {count}; use fewer or k-means")
        sketch = Sketch.of(sample, directions, rng)
        model = GaussianMixture(count, n_init=restarts, random_state=int(rng.integers(2**31)))
        with warnings.catch_warnings():
            # A start that has not settled after its rounds loses against the others or is as good as they are.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(sketch.project(sample).T.astype(np.float64))
        return cls(sketch, model)

    def assign_all(self, features: Features) -> NDArray[np.intp]:
        """Give the most probable component of every pixel."""
        projected = self.sketch.project(features)
        small = Features(projected)
        parts = [self.model.predict(projected[:, part].T.astype(np.float64)) for part in small.slices()]
        return np.concatenate(parts).astype(np.intp)

    def bic(self, sample: Features) -> float:
        """Give the Bayesian information criterion; less is better."""
        return float(self.model.bic(self.sketch.project(sample).T.astype(np.float64)))
