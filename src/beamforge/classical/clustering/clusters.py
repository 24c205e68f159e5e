"""Clustering of a stack's pixels by their spectra, from the stack to a label image with centroid spectra."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.random import Generator
from numpy.typing import NDArray

from beamforge.arrays import Float64
from beamforge.classical.clustering.features import Features
from beamforge.classical.clustering.kmeans import kmeans
from beamforge.classical.clustering.minibatch import assign_all, minibatch
from beamforge.classical.clustering.mixture import Mixture
from beamforge.classical.clustering.selection import Criterion, Method, count_scores
from beamforge.classical.clustering.spectra import Spectra
from beamforge.errors import InputError
from beamforge.files import write_json, write_text
from beamforge.io import save_labels
from beamforge.stack import IGNORE, Channel, Classes, as_labels, channels_of


@dataclass(frozen=True)
class Clusters:
    """What was found in a stack.

    Attributes
    ----------
    labels
        (y, x); clusters are numbered by rising mean of their spectrum, 255 where a spectrum is incomplete.
    centroids
        Mean spectra (cluster, channel) in the stack's units; NaN in channels that were left out.
    sizes
        Pixels of each cluster.
    inertia
        Sum of the squared distances of the spectra from the mean of their cluster, without positions.
    channels
        What the channels are.
    left_out
        Why channels were left out, by number.
    scores
        How good each number of clusters was, higher is better; empty if the number was given.
    """

    labels: xr.DataArray
    centroids: Float64
    sizes: NDArray[np.int64]
    inertia: float
    channels: tuple[Channel, ...]
    left_out: dict[int, str]
    scores: dict[int, float]

    @property
    def correlation(self) -> Float64:
        """Correlation between the mean spectra (cluster, cluster); NaN for a flat spectrum."""
        used = [number for number in range(len(self.channels)) if number not in self.left_out]
        centred = self.centroids[:, used] - self.centroids[:, used].mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(centred, axis=1)
        lengths[lengths == 0] = np.nan
        found: Float64 = centred @ centred.T / np.outer(lengths, lengths)
        return found

    def save(self, folder: str | Path, *, provenance: Mapping[str, Any] | None = None) -> None:
        """Write ``labels.tif``, ``centroids.csv`` (a row a channel) and ``clusters.json`` into a folder."""
        folder = Path(folder)
        save_labels(folder / "labels.tif", self.labels, provenance=provenance)
        names = list(self.labels.attrs["class_names"])
        numbers = sorted({name for channel in self.channels for name in channel.numbers})
        table = io.StringIO()
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["channel", "mode", *numbers, *names])
        for place, channel in enumerate(self.channels):
            values = [f"{value:.9g}" if np.isfinite(value) else "" for value in self.centroids[:, place]]
            known = [channel.numbers.get(name, "") for name in numbers]
            writer.writerow([place, channel.mode, *known, *values])
        write_text(folder / "centroids.csv", table.getvalue())
        content = {
            "clusters": names,
            "sizes": self.sizes.tolist(),
            "inertia": self.inertia,
            "correlation": [[None if np.isnan(v) else v for v in row] for row in self.correlation.tolist()],
            "left_out": {str(number): f"channel {number} {why}" for number, why in self.left_out.items()},
            "scores": {str(count): score for count, score in self.scores.items()},
            "provenance": None if provenance is None else dict(provenance),
        }
        write_json(folder / "clusters.json", content)


def cluster(
    stack: xr.DataArray,
    count: int | Criterion,
    rng: Generator,
    *,
    method: Method = "kmeans",
    position_weight: float = 0.0,
    most: int = 12,
    restarts: int = 10,
    memory_bytes: int = 4 << 30,
    device: str | None = None,
) -> Clusters:
    """Group the pixels of a stack by their spectra.

    Parameters
    ----------
    stack
        (channel, y, x). Constant and mostly missing channels are left out; pixels that lack a value are ignored.
    count
        Number of clusters, or the criterion that chooses it on a sample.
    rng
        Random stream.
    method
        ``"kmeans"``, or ``"mixture"`` for Gaussians of any shape in the leading principal directions.
    position_weight
        How much the place of a pixel counts; at 1 as much as its spectrum.
    most
        Largest number a criterion may choose.
    restarts
        How many starts; the best counts.
    memory_bytes
        A lazy stack that takes more is read in bands, and its k-means is one of mini-batches.
    device
        Torch device for k-means of a stack in memory; by default NumPy.

    Raises
    ------
    InputError
        If there are more clusters than pixels, different spectra or label values, or nothing is usable.
    """
    if stack.dims != ("channel", "y", "x"):
        raise InputError(f"a stack has dims (channel, y, x), not {tuple(stack.dims)}; see beamforge.stack.as_stack")
    largest = most if isinstance(count, str) else count
    if not 1 <= largest <= IGNORE:
        raise InputError(f"{largest} clusters were asked for, 1 to {IGNORE} fit into a label image")
    pixels = stack.sizes["y"] * stack.sizes["x"]
    if largest > pixels:
        raise InputError(f"{largest} clusters were asked for, but the stack has only {pixels} pixels")
    spectra = Spectra.of(stack, rng, position_weight=position_weight, memory_bytes=memory_bytes)
    scores: dict[int, float] = {}
    if isinstance(count, str):
        scores = count_scores(spectra.sample, count, method, most, rng)
        number = max(scores, key=lambda tried: scores[tried])
    else:
        number = count
    if method == "mixture":
        labels = _labelled(spectra, Mixture.fit(spectra.sample, number, rng, restarts=restarts).assign_all)
    elif spectra.in_memory:
        labels = _labelled(spectra, lambda all_: kmeans(all_, number, rng, restarts=restarts, device=device).labels)
    else:
        centroids = minibatch(spectra, number, rng, restarts=restarts)
        labels = _labelled(spectra, lambda band: assign_all(band, centroids))
    return _summary(spectra, labels, number, scores)


def _labelled(spectra: Spectra, assign: Callable[[Features], NDArray[np.intp]]) -> NDArray[np.intp]:
    """Give the cluster of every pixel of the image, -1 for those that lack a value."""
    labels = np.full(spectra.stack.sizes["y"] * spectra.stack.sizes["x"], -1, dtype=np.intp)
    for features, places in spectra.bands():
        if features.count:
            labels[places] = assign(features)
    return labels


def _summary(spectra: Spectra, labels: NDArray[np.intp], count: int, scores: dict[int, float]) -> Clusters:
    """Number the clusters by rising mean and describe them."""
    used, stack = len(spectra.channels), spectra.stack
    sums, squares = np.zeros((count, used)), 0.0
    for features, places in spectra.bands():
        plain = Features(features.values, features.channels, features.pixels)
        for part in plain.slices():
            block, found = plain.block(part), labels[places[part]]
            members = np.zeros((len(found), count), dtype=np.float32)
            members[np.arange(len(found)), found] = 1
            sums += (block @ members).T
            squares += float(np.einsum("fp,fp->", block, block, dtype=np.float64))
    sizes = np.bincount(labels[labels >= 0], minlength=count)
    means = sums / np.maximum(sizes, 1)[:, None]
    means[sizes == 0] = np.nan
    order = np.argsort(means.mean(axis=1), kind="stable")
    rank = np.full(count + 1, IGNORE)
    rank[order] = np.arange(count)
    centroids = np.full((count, stack.sizes["channel"]), np.nan)
    centroids[:, spectra.channels] = means[order]
    scale = {key: stack.attrs[key] for key in ("pixel_size", "pixel_size_unit") if key in stack.attrs}
    image = rank[labels].reshape(stack.sizes["y"], stack.sizes["x"])
    return Clusters(
        labels=as_labels(image, Classes(names=tuple(f"cluster {number}" for number in range(count))), **scale),
        centroids=centroids,
        sizes=sizes[order].astype(np.int64),
        inertia=max(0.0, squares - float(sizes @ np.nan_to_num(means**2).sum(axis=1))),
        channels=channels_of(stack),
        left_out=spectra.left_out,
        scores=scores,
    )
