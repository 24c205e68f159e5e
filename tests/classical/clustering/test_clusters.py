"""From a stack to clusters: what is left out, ignored, chosen, and read in bands."""

import csv
import json

import dask.array as da
import numpy as np
import pytest
from numpy.random import default_rng
from sklearn.metrics import adjusted_rand_score

from beamforge.classical.clustering import cluster
from beamforge.classical.clustering.spectra import Spectra
from beamforge.errors import InputError
from beamforge.io import open_labels
from beamforge.stack import as_stack

SIDE = 48


def stack_of(noise: float = 0.1, channels: int = 40, seed: int = 0):
    """Four quarters with spectra of their own, and which quarter each pixel is of."""
    rng = default_rng(seed)
    truth = np.kron([[0, 1], [2, 3]], np.ones((SIDE // 2, SIDE // 2), int))
    shapes = np.linspace(0.5, 0.8, 4)[:, None] + 0.2 * rng.normal(size=(4, channels))
    image = shapes[truth].transpose(2, 0, 1) + rng.normal(0, noise, (channels, SIDE, SIDE))
    records = [{"mode": "T", "wavelength": 1 + 0.1 * i} for i in range(channels)]
    return as_stack(image.astype(np.float32), records, pixel_size=55.0, units="transmission"), truth


@pytest.mark.parametrize("method", ["kmeans", "mixture"])
def test_quarters_are_found_and_numbered_by_their_mean(method) -> None:
    stack, truth = stack_of()
    found = cluster(stack, 4, default_rng(0), method=method)
    assert adjusted_rand_score(truth.ravel(), found.labels.values.ravel()) > 0.999
    means = found.centroids.mean(axis=1)
    assert (np.diff(means) > 0).all()
    for number in range(4):
        inside = found.labels.values == number
        np.testing.assert_allclose(found.centroids[number], stack.values[:, inside].mean(axis=1), atol=1e-5)
        assert found.sizes[number] == inside.sum()
    residuals = stack.values - found.centroids[found.labels.values].transpose(2, 0, 1)
    assert found.inertia == pytest.approx((residuals**2).sum(), rel=1e-5)
    np.testing.assert_allclose(found.correlation, np.corrcoef(found.centroids), atol=1e-12)


@pytest.mark.parametrize(("criterion", "method"), [("bic", "kmeans"), ("silhouette", "kmeans"), ("bic", "mixture")])
def test_the_number_of_clusters_is_found(criterion, method) -> None:
    stack, _ = stack_of()
    found = cluster(stack, criterion, default_rng(0), method=method, most=6)
    assert len(found.sizes) == 4
    assert sorted(found.scores) == list(range(2, 7))


def test_dead_bins_are_left_out_and_incomplete_pixels_ignored() -> None:
    stack, truth = stack_of()
    values = stack.values.copy()
    values[3] = 0.0
    values[7] = np.nan
    values[9, :, : SIDE // 2 + 5] = np.nan
    values[11, 5, 6] = np.inf
    values[:, 20, 21] = np.nan
    found = cluster(stack.copy(data=values), 4, default_rng(0))
    assert sorted(found.left_out) == [3, 7, 9]
    assert "0 everywhere" in found.left_out[3]
    assert "finite in only 0 %" in found.left_out[7]
    assert np.isnan(found.centroids[:, [3, 7, 9]]).all()
    assert np.isfinite(np.delete(found.centroids, [3, 7, 9], axis=1)).all()
    ignored = found.labels.values == 255
    assert set(zip(*np.nonzero(ignored), strict=True)) == {(5, 6), (20, 21)}
    assert adjusted_rand_score(truth[~ignored], found.labels.values[~ignored]) > 0.999


def test_counts_of_any_type_in_any_layout() -> None:
    stack, truth = stack_of()
    counts = np.clip(stack.values * 500, 0, 60000).astype(np.uint16)
    last = np.moveaxis(np.ascontiguousarray(np.moveaxis(counts, 0, -1)), -1, 0)
    for image in (counts, last):
        found = cluster(as_stack(image), 4, default_rng(0))
        assert adjusted_rand_score(truth.ravel(), found.labels.values.ravel()) > 0.999


def test_a_stack_that_does_not_fit_is_clustered_in_bands() -> None:
    stack, truth = stack_of(noise=0.2)
    lazy = as_stack(da.from_array(stack.values, chunks=(1, 7, SIDE)))
    spectra = Spectra.of(lazy, default_rng(0), memory_bytes=1000)
    assert not spectra.in_memory
    found = cluster(lazy, 4, default_rng(0), memory_bytes=1000)
    whole = cluster(stack, 4, default_rng(0))
    assert adjusted_rand_score(truth.ravel(), found.labels.values.ravel()) > 0.98
    assert found.inertia == pytest.approx(whole.inertia, rel=2e-3)
    assert lazy.chunks is not None


def test_minibatches_see_more_than_the_sample(monkeypatch) -> None:
    # Bands of a few rows and a sample of a few pixels: the centroids end nearer to the truth than the sample's.
    from beamforge.classical.clustering import kmeans, minibatch
    from beamforge.classical.clustering import spectra as module

    monkeypatch.setattr(module, "_SAMPLE", 60)
    monkeypatch.setattr(module, "_BAND_BYTES", 8 * SIDE * 40 * 4)
    stack, truth = stack_of(noise=0.2)
    lazy = as_stack(da.from_array(stack.values, chunks=(1, 4, SIDE)))
    spectra = Spectra.of(lazy, default_rng(1), memory_bytes=1000)
    assert len(list(spectra.bands())) == SIDE // 8
    exact = np.stack([stack.values[:, truth == number].mean(axis=1) for number in range(4)])

    def error(centroids) -> float:
        return float(np.sqrt(((exact[:, None] - centroids[None]) ** 2).mean(axis=2)).min(axis=1).mean())

    sampled = kmeans(spectra.sample, 4, default_rng(2)).centroids
    assert error(minibatch(spectra, 4, default_rng(2))) < 0.4 * error(sampled)


def test_position_keeps_equal_materials_apart() -> None:
    rng = default_rng(0)
    image = rng.normal(0, 1, (10, 20, 60)).astype(np.float32)
    left = np.broadcast_to(np.arange(60) < 30, (20, 60))
    plain = cluster(as_stack(image), 2, default_rng(0)).labels.values
    placed = cluster(as_stack(image), 2, default_rng(0), position_weight=3.0)
    assert abs(adjusted_rand_score(left.ravel(), plain.ravel())) < 0.05
    assert adjusted_rand_score(left.ravel(), placed.labels.values.ravel()) > 0.95
    assert placed.centroids.shape == (2, 10)


def test_what_cannot_be_clustered_is_named() -> None:
    stack, _ = stack_of()
    few = stack[:, :2, :3]
    with pytest.raises(InputError, match="7 clusters were asked for, but the stack has only 6 pixels"):
        cluster(few, 7, default_rng(0))
    with pytest.raises(InputError, match="0 clusters were asked for"):
        cluster(stack, 0, default_rng(0))
    with pytest.raises(InputError, match="256 clusters were asked for, 1 to 255"):
        cluster(stack, 256, default_rng(0))
    with pytest.raises(InputError, match=r"channel 0 \(T 1 Å\) is finite in only 0 %"):
        cluster(stack.copy(data=np.full_like(stack.values, np.nan)), 2, default_rng(0))
    checkered = np.where(np.indices((2, SIDE, SIDE)).sum(axis=0) % 2, 1.0, np.nan)
    checkered = (checkered * default_rng(0).random((2, SIDE, SIDE))).astype(np.float32)
    with pytest.raises(InputError, match="no pixel is finite in every channel"):
        cluster(as_stack(checkered), 2, default_rng(0))
    with pytest.raises(InputError, match="weight of the position is -1"):
        cluster(stack, 2, default_rng(0), position_weight=-1)
    with pytest.raises(InputError, match="too few for a mixture"):
        cluster(few, 4, default_rng(0), method="mixture")
    with pytest.raises(InputError, match="largest number of clusters to try is 1"):
        cluster(stack, "bic", default_rng(0), most=1)


def test_files_hold_what_was_found(tmp_path) -> None:
    stack, _ = stack_of()
    values = stack.values.copy()
    values[3] = 0.0
    found = cluster(stack.copy(data=values), 4, default_rng(0))
    found.save(tmp_path / "out", provenance={"seed": 0})
    labels = open_labels(tmp_path / "out" / "labels.tif")
    np.testing.assert_array_equal(labels, found.labels)
    assert labels.attrs["pixel_size"] == 55.0
    with (tmp_path / "out" / "centroids.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert float(rows[5]["wavelength"]) == pytest.approx(1.5)
    assert float(rows[5]["cluster 2"]) == pytest.approx(found.centroids[2, 5], rel=1e-8)
    assert rows[3]["cluster 0"] == ""
    content = json.loads((tmp_path / "out" / "clusters.json").read_text())
    assert content["sizes"] == found.sizes.tolist()
    assert "channel 3" in content["left_out"]["3"]


def test_the_lectures_clusters_are_found_again(real_data) -> None:
    # Spectra simulated from the centroids of the lecture's k-means with the noise of its measurement.
    stored = np.load(real_data / "neutron" / "tof_recovered" / "tof_recovered.npz")
    labels, centroids = stored["labels4"], stored["centroids4"]
    counts = default_rng(0).poisson(110 * np.clip(centroids[labels], 0, 1))
    image = (counts / 110).astype(np.float32).transpose(2, 0, 1)
    found = cluster(as_stack(image), 4, default_rng(0))
    assert adjusted_rand_score(labels.ravel(), found.labels.values.ravel()) > 0.99
    order = np.argsort(centroids.mean(axis=1))
    assert np.sqrt(((found.centroids - np.clip(centroids[order], 0, 1)) ** 2).mean()) < 0.005
