import numpy as np
import pytest
from numpy.random import default_rng
from scipy.ndimage import label

from beamforge.simulation.grains.contacts import contacts
from beamforge.simulation.grains.edges import curved, distance_to, grain_numbers, near


def test_curves_end_where_the_edges_do():
    rng = default_rng(1)
    starts, ends = rng.uniform(0, 50, (2, 12, 2))
    curves = curved(starts, ends, 0.2, 1.0, rng)
    np.testing.assert_allclose(curves[:, 0], starts, atol=1e-4)
    np.testing.assert_allclose(curves[:, -1], ends, atol=1e-4)


def test_without_waviness_edges_are_straight():
    curves = curved(np.array([[0.0, 0.0]]), np.array([[30.0, 40.0]]), 0.0, 1.0, default_rng(0))[0]
    np.testing.assert_allclose(curves[:, 1] * 3.0, curves[:, 0] * 4.0, atol=1e-3)


def test_waviness_is_the_spread_in_the_middle_relative_to_the_length():
    starts, ends = np.zeros((4000, 2)), np.tile([0.0, 50.0], (4000, 1))
    curves = curved(starts, ends, 0.1, 1.0, default_rng(2))
    assert curves[:, 16, 0].std() == pytest.approx(5.0, rel=0.05)
    np.testing.assert_allclose(curves[:, 16, 1], 25.0, atol=1e-3)


def test_rougher_edges_are_longer():
    starts, ends = np.zeros((200, 2)), np.tile([0.0, 50.0], (200, 1))

    def length(smoothness):
        points = curved(starts, ends, 0.1, smoothness, default_rng(3))
        return np.linalg.norm(np.diff(points, axis=1), axis=2).sum()

    assert length(0.3) > 1.1 * length(2.0)


def test_distance_is_that_of_the_nearest_of_many_points():
    rng = default_rng(4)
    curves = curved(rng.uniform(0, 40, (5, 2)), rng.uniform(0, 40, (5, 2)), 0.15, 1.0, rng)
    found = distance_to(curves, (40, 44), 5.0)
    between = np.linspace(0, 1, 30)[:, None, None, None]
    points = (curves[None, :, :-1] * (1 - between) + curves[None, :, 1:] * between).reshape(-1, 2)
    places = np.indices((40, 44)).reshape(2, -1).T
    brute = np.sqrt(((places[:, None] - points) ** 2).sum(axis=2).min(axis=1)).reshape(40, 44)
    # Lines take the place of points that lie within a tenth of a px of them.
    np.testing.assert_allclose(found, np.minimum(brute, 5.0), atol=0.1)
    assert np.abs(found - np.minimum(brute, 5.0)).mean() < 0.02


def test_edges_that_are_far_away_are_left_out():
    starts = np.array([[10.0, 10.0], [200.0, 10.0], [-30.0, 5.0]])
    ends = np.array([[20.0, 10.0], [210.0, 10.0], [30.0, 5.0]])
    assert near(starts, ends, 100).tolist() == [True, False, True]


def test_lines_part_an_image_into_grains_that_cover_it():
    line = np.array([[[-1.0, 12.3], [50.0, 30.7]]], np.float32).repeat(1, 0)
    points = line[:, :1] + np.linspace(0, 1, 33)[None, :, None] * (line[:, 1:] - line[:, :1])
    grains = grain_numbers(distance_to(points.astype(np.float32), (40, 40), 5.0))
    assert sorted(np.unique(grains)) == [0, 1]
    for number in (0, 1):
        assert label(grains == number)[1] == 1
    assert contacts(grains).tolist() == [[0, 1]]


def test_a_field_full_of_lines_is_one_grain():
    assert (grain_numbers(np.zeros((6, 6), np.float32)) == 0).all()


def test_contacts_are_those_of_all_neighbouring_pixels():
    grains = default_rng(5).integers(0, 5, (9, 11)).astype(np.int32)
    expected = set()
    for row in range(9):
        for column in range(11):
            for other in ((row + 1, column), (row, column + 1)):
                if other[0] < 9 and other[1] < 11 and grains[other] != grains[row, column]:
                    expected.add(tuple(sorted((int(grains[other]), int(grains[row, column])))))
    assert {tuple(pair) for pair in contacts(grains).tolist()} == expected
