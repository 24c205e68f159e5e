import math
from itertools import combinations

import numpy as np
import pytest
from numpy.random import default_rng
from scipy.spatial import cKDTree

from beamforge.errors import InputError
from beamforge.evaluation.grains import (
    GrainAgreement,
    GrainSizes,
    crossed_intercept,
    flooded_grains,
    grains_between,
    mean_intercept,
)


def squares(side, count):
    """Square grains in rows and columns, numbered from 1 on."""
    number = np.arange(count * count).reshape(count, count) + 1
    return number.repeat(side, 0).repeat(side, 1).astype(np.int32)


def poisson_voronoi(size, density, rng):
    """Nearest of uniformly drawn seeds, far beyond the image on all sides."""
    side = size + 120
    seeds = rng.uniform(-60, size + 60, (rng.poisson(density * side**2), 2))
    places = np.indices((size, size)).reshape(2, -1).T
    return (cKDTree(seeds).query(places)[1].reshape(size, size) + 1).astype(np.int32)


def test_grains_are_found_between_boundaries_and_cover_all():
    truth = squares(12, 3)
    boundaries = np.zeros((36, 36), bool)
    boundaries[[11, 12, 23, 24], :] = boundaries[:, [11, 12, 23, 24]] = True
    found = grains_between(boundaries)
    assert sorted(np.bincount(found.ravel())[1:]) == [144] * 9
    assert GrainAgreement.of(found, truth).variation_of_information == pytest.approx(0.0, abs=1e-12)


def test_specks_are_no_grains():
    boundaries = np.zeros((20, 20), bool)
    boundaries[5:8, 5:8] = True
    boundaries[6, 6] = False
    assert grains_between(boundaries).max() == 1
    assert grains_between(boundaries, least_area=1).max() == 2
    assert grains_between(np.ones((4, 4), bool)).max() == 0


def lattice(side, count):
    """Boundaries of square grains, 4 px wide."""
    edges = np.zeros((side * count, side * count), bool)
    for place in range(side, side * count, side):
        edges[place - 2 : place + 2] = edges[:, place - 2 : place + 2] = True
    return edges


def test_a_gap_joins_grains_unless_they_are_flooded():
    truth = squares(20, 3)
    broken = lattice(20, 3)
    broken[18:22, 7:12] = broken[47:52, 38:42] = False
    assert grains_between(broken).max() == 7
    flooded = flooded_grains(broken.astype(np.float32))
    assert len(np.unique(flooded)) == 9
    assert GrainAgreement.of(flooded, truth).adapted_rand_error < 0.15


def test_faint_lines_part_nothing_and_an_empty_picture_is_one_grain():
    faint = 0.1 * lattice(20, 3).astype(np.float32)
    assert flooded_grains(faint).max() == 1
    assert len(np.unique(flooded_grains(faint, smoothing=0.0, depth=0.05))) == 9
    assert (flooded_grains(np.zeros((10, 12), np.float32)) == 1).all()
    with pytest.raises(InputError, match="depth"):
        flooded_grains(faint, depth=0.0)


def test_agreement_is_that_of_all_pairs_of_pixels():
    rng = default_rng(3)
    truth = rng.integers(1, 4, (6, 6)).astype(np.int32)
    predicted = rng.integers(1, 5, (6, 6)).astype(np.int32)
    pairs = list(combinations(range(36), 2))
    same = [(truth.flat[i] == truth.flat[j], predicted.flat[i] == predicted.flat[j]) for i, j in pairs]
    both, in_truth, in_prediction = (sum(x) for x in ((t and p for t, p in same), *zip(*same, strict=True)))
    found = GrainAgreement.of(predicted, truth)
    assert found.adapted_rand_error == pytest.approx(1.0 - 2.0 * both / (in_truth + in_prediction))
    joint = np.array([[np.mean((truth == t) & (predicted == p)) for p in range(1, 5)] for t in range(1, 4)])
    entropy = {axis: -sum(x * math.log2(x) for x in joint.sum(axis) if x) for axis in (0, 1)}
    together = -sum(x * math.log2(x) for x in joint.ravel() if x)
    assert found.false_splits == pytest.approx(together - entropy[1])
    assert found.false_merges == pytest.approx(together - entropy[0])
    assert (found.predicted, found.true) == (4, 3)


def test_a_grain_cut_in_two_is_a_split_of_its_share():
    truth = np.ones((10, 10), np.int32)
    predicted = truth.copy()
    predicted[:5] = 2
    found = GrainAgreement.of(predicted, truth)
    assert found.false_splits == pytest.approx(1.0)
    assert found.false_merges == pytest.approx(0.0)


def test_sizes_of_square_grains():
    sizes = GrainSizes.of(squares(20, 5))
    assert sizes.areas == (400,) * 9
    # 9 inside, 12 cut by the border, 4 corners of a quarter each.
    assert sizes.count == 9 + 6 + 1
    np.testing.assert_allclose(sizes.diameters, math.sqrt(4 * 400 / math.pi))


def test_the_intercept_of_squares_along_axes_and_diagonals():
    # A step along an axis crosses 39 boundaries in 799; one along a diagonal does not unless both its parts do not.
    axis = 39 / 799
    diagonal = 1 - (1 - axis) ** 2
    steps, slanted = 2 * 800 * 799, 2 * 799**2
    expected = (steps + math.sqrt(2) * slanted) / (steps * axis + slanted * diagonal)
    assert mean_intercept(squares(20, 40)) == pytest.approx(expected, rel=1e-12)
    assert math.isinf(mean_intercept(np.ones((8, 8), np.int32)))


def test_crossings_of_lines_need_no_closed_grains():
    edges = lattice(20, 40)
    whole = crossed_intercept(edges)
    # 39 lines are crossed in 799 steps along an axis, less where a line runs inside one of the other direction.
    inside = 1 - 39 * 4 / 800
    axis = 39 / 799 * inside
    assert 1 / crossed_intercept(edges[:, :17]) == pytest.approx(_lines_per_px(edges[:, :17]), rel=1e-12)
    assert 1 / whole == pytest.approx(_lines_per_px(edges), rel=1e-12)
    along_rows = np.diff(edges.astype(int), axis=1).clip(0).sum() / (800 * 799)
    assert along_rows == pytest.approx(axis, rel=1e-12)
    rng = default_rng(2)
    holes = (rng.random((80, 80)) < 0.3).repeat(10, 0).repeat(10, 1)
    gaps = edges & ~np.roll(holes, 5, axis=(0, 1))
    assert whole < crossed_intercept(gaps) < whole / 0.7
    assert mean_intercept(grains_between(gaps)) > 5.0 * whole
    assert math.isinf(crossed_intercept(np.zeros((8, 8), bool)))


def _lines_per_px(edges):
    """Walk along every row, column and diagonal and count the ends of runs of boundary."""
    walks = [*edges, *edges.T]
    steps = float(sum(len(walk) - 1 for walk in walks))
    for one in (edges, edges[:, ::-1]):
        diagonals = [np.diagonal(one, offset) for offset in range(1 - one.shape[0], one.shape[1])]
        steps += math.sqrt(2) * sum(len(walk) - 1 for walk in diagonals)
        walks += diagonals
    return sum(np.count_nonzero(np.diff(walk.astype(int))) for walk in walks) / 2 / steps


def test_the_intercept_of_a_poisson_voronoi_tessellation():
    # Møller 1989: lines cross 4/π √density boundaries per unit length.
    density = 1.0 / 20.0**2
    found = [mean_intercept(poisson_voronoi(400, density, default_rng(seed))) for seed in range(4)]
    assert np.mean(found) == pytest.approx(math.pi / 4.0 / math.sqrt(density), rel=0.05)


@pytest.mark.parametrize(
    ("number", "intercept", "density"), [(0, 320.0, 7.75), (1, 226.3, 15.5), (5, 56.6, 248.0), (10, 10.0, 7936.0)]
)
def test_grain_size_numbers_of_the_standard(number, intercept, density):
    """Rows of Table 4 of ASTM E112: mean intercept in µm and grains per mm²."""
    sizes = GrainSizes(count=1.0, areas=(), intercept=intercept, field=round(1e6 / density))
    assert sizes.astm_from_intercept(1.0) == pytest.approx(number, abs=0.01)
    assert sizes.astm_from_count(1.0) == pytest.approx(number, abs=0.01)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="must agree"):
        GrainAgreement.of(np.ones((3, 3), np.int32), np.ones((3, 4), np.int32))
    with pytest.raises(InputError, match="pixel size"):
        GrainSizes.of(squares(5, 3)).astm_from_count(0.0)
