from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation.cracks.polyline import FAR, Polyline, along, distance_and_opening, roughened, walk


def test_a_walk_goes_down_and_turns() -> None:
    joints = walk(np.array([2.0, 3.0]), np.array([0.0, math.pi / 2]))
    np.testing.assert_allclose(joints, [[0, 0], [2, 0], [2, 3]], atol=1e-12)


def test_places_along_it() -> None:
    joints = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 6.0]])
    np.testing.assert_allclose(along(joints, 0.5), [4.0, 1.0])
    np.testing.assert_allclose(along(joints, 0.0), [0.0, 0.0])
    np.testing.assert_allclose(along(joints, 1.0), [4.0, 6.0])


def test_distances_are_those_from_the_densely_sampled_line() -> None:
    rng = default_rng(4)
    joints = rng.uniform(-5, 45, (5, 2))
    crack = Polyline(joints, np.full(5, 3.0))
    distance, opening = distance_and_opening([crack], (40, 40), 6.0)
    share = np.linspace(0, 1, 1001)[:, None]
    points = np.concatenate([a + share * (b - a) for a, b in pairwise(joints)])
    y, x = np.mgrid[:40, :40]
    exact = np.sqrt(((points[:, 0] - y[..., None]) ** 2 + (points[:, 1] - x[..., None]) ** 2).min(axis=-1))
    near = exact < 6.0 + 1.5 - 1e-3
    np.testing.assert_allclose(distance[near], exact[near], atol=2e-2)
    assert (distance[exact > 7.5 + 1e-3] == FAR).all()
    np.testing.assert_array_equal(opening[near], 3.0)


def test_openings_change_along_a_segment_and_the_nearest_side_counts() -> None:
    wedge = Polyline(np.array([[0.0, 10.0], [20.0, 10.0]]), np.array([1.0, 5.0]))
    distance, opening = distance_and_opening([wedge], (21, 21), 4.0)
    np.testing.assert_allclose(opening[[0, 10, 20], 10], [1.0, 3.0, 5.0])
    np.testing.assert_array_equal(distance[:, 10], 0.0)
    thin = Polyline(np.array([[0.0, 13.0], [20.0, 13.0]]), np.array([1.0, 1.0]))
    _, both = distance_and_opening([wedge, thin], (21, 21), 4.0)
    # At (20, 12): 2 px from the wedge's axis, that is 0.5 px inside; 0.5 px outside of the thin one.
    assert both[20, 12] == pytest.approx(5.0)
    assert both[0, 12] == pytest.approx(1.0)


def test_no_crack_is_far() -> None:
    distance, opening = distance_and_opening([], (5, 6), 4.0)
    assert (distance == FAR).all()
    assert (opening == 1.0).all()


def test_a_rough_path_strays_as_far_as_told() -> None:
    straight = Polyline(np.array([[0.0, 0.0], [4000.0, 0.0]]), np.array([2.0, 4.0]))
    rough = roughened(straight, 0.8, default_rng(2))
    # 4000 px hold some 400 independent places: 5 sigma of the deviation of a sample standard deviation.
    assert rough.joints[10:-10, 1].std() == pytest.approx(0.8, rel=5 / math.sqrt(2 * 400))
    assert rough.openings[0] == 2.0
    assert rough.openings[-1] == 4.0
    smooth = roughened(straight, 0.0, default_rng(2))
    np.testing.assert_allclose(smooth.joints[:, 1], 0.0)
