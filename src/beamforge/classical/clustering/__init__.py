"""Clustering of pixels by their spectra."""

from beamforge.classical.clustering.clusters import Clusters, cluster
from beamforge.classical.clustering.features import Features
from beamforge.classical.clustering.kmeans import kmeans
from beamforge.classical.clustering.lloyd import Fit, lloyd
from beamforge.classical.clustering.minibatch import minibatch
from beamforge.classical.clustering.mixture import Mixture
from beamforge.classical.clustering.spectra import Spectra

__all__ = ["Clusters", "Features", "Fit", "Mixture", "Spectra", "cluster", "kmeans", "lloyd", "minibatch"]
