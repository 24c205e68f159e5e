import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy.spatial import Voronoi

from beamforge.simulation.grains.tessellation import merged, power_diagram, relaxed


def nearest_cell(tessellation, places):
    """By definition: the seed of least squared distance less its weight."""
    squared = ((places[:, None] - tessellation.seeds) ** 2).sum(axis=2)
    return (squared - tessellation.weights).argmin(axis=1)


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_areas_and_centroids_are_those_of_the_pixels(spread):
    rng = default_rng(5)
    seeds = rng.uniform(0, 100, (30, 2))
    weights = (9.0 * np.exp(spread * rng.standard_normal(30))) ** 2
    tessellation = power_diagram(seeds, weights)
    area, centroid = tessellation.areas_and_centroids()
    fine = 0.4
    axis = np.arange(-100, 200, fine) + fine / 2
    places = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    owner = np.concatenate([nearest_cell(tessellation, part) for part in np.array_split(places, 50)])
    extent = [places[owner == cell] for cell in range(30)]
    whole = [c for c in range(30) if len(extent[c]) and np.abs(extent[c] - 50).max() < 149 and np.isfinite(area[c])]
    assert len(whole) > 8
    for cell in whole:
        assert area[cell] == pytest.approx(len(extent[cell]) * fine**2, rel=0.02, abs=2.0)
        np.testing.assert_allclose(centroid[cell], extent[cell].mean(axis=0), atol=0.3)


def test_equal_weights_give_the_vertices_of_a_voronoi_diagram():
    seeds = default_rng(6).uniform(0, 50, (40, 2))
    ours = power_diagram(seeds, np.full(40, 7.0))
    expected = Voronoi(seeds)
    edges = [ridge for ridge in expected.ridge_vertices if -1 not in ridge]
    assert len(ours.cells) == len(edges)
    lengths = np.linalg.norm(np.diff(expected.vertices[edges], axis=1)[:, 0], axis=1)
    np.testing.assert_allclose(np.sort(np.linalg.norm(ours.ends - ours.starts, axis=1)), np.sort(lengths), atol=1e-6)


def test_edges_lie_between_their_cells():
    rng = default_rng(7)
    tessellation = power_diagram(rng.uniform(0, 50, (25, 2)), rng.uniform(0, 40, 25))
    inside = tessellation.starts * 0.4 + tessellation.ends * 0.6
    power = ((inside[:, None] - tessellation.seeds) ** 2).sum(axis=2) - tessellation.weights
    at_edge = np.take_along_axis(power, tessellation.cells, axis=1)
    np.testing.assert_allclose(at_edge[:, 0], at_edge[:, 1], atol=1e-6)
    np.testing.assert_allclose(at_edge.min(axis=1), power.min(axis=1), atol=1e-6)


def test_relaxation_evens_out_the_areas():
    seeds = default_rng(8).uniform(0, 100, (200, 2))
    spread = []
    for rounds in (0, 1, 5):
        tessellation = relaxed(seeds, np.zeros(200), rounds)
        area, _ = tessellation.areas_and_centroids()
        inner = area[(np.abs(tessellation.seeds - 50) < 30).all(axis=1)]
        spread.append(inner.std() / inner.mean())
    assert spread[0] > 1.3 * spread[1] > 1.3 * 1.3 * spread[2]


@settings(max_examples=25)
@given(st.integers(0, 1000), st.floats(0.0, 0.9))
def test_merging_joins_neighbours_only_and_no_more_than_asked(seed, share):
    tessellation = power_diagram(default_rng(seed).uniform(0, 50, (40, 2)), np.zeros(40))
    groups = merged(tessellation.cells, 40, share, default_rng(seed))
    assert len(np.unique(groups)) >= 40 - round(share * 40)
    for group in np.unique(groups):
        members = set(np.flatnonzero(groups == group).tolist())
        reached, frontier = set(), {min(members)}
        while frontier:
            reached |= frontier
            touching = {int(b) for a, b in tessellation.cells if a in frontier}
            touching |= {int(a) for a, b in tessellation.cells if b in frontier}
            frontier = (touching & members) - reached
        assert reached == members
