import math

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation.roots.growth import AxisGrowth, Box, Branching, Seedlings, branches, grow
from beamforge.simulation.roots.system import RootSystem

WIDE = Box(width=1e6, depth=1e6)
MIDDLE = 5e5


def seedlings(count: int, direction: tuple[float, float, float], length: float, radius: float = 0.5) -> Seedlings:
    start = np.tile([MIDDLE, 0.0, MIDDLE], (count, 1))
    return Seedlings(
        start, np.tile(direction, (count, 1)).astype(float), np.full(count, length), np.full(count, radius)
    )


def grown(count: int = 1, *, direction=(0.0, 1.0, 0.0), length=50.0, box=WIDE, seed=1, **growth) -> RootSystem:
    settings = {"gravitropism": 0.0, "wander": 0.0, "wander_length": 10.0, "taper": 0.0, **growth}
    return grow(seedlings(count, direction, length), 0, AxisGrowth(**settings), box, default_rng(seed))


def test_a_root_without_forces_is_straight_and_as_long_as_asked() -> None:
    roots = grown(direction=(0.6, 0.0, 0.8))
    np.testing.assert_allclose(roots.end[-1] - roots.start[0], [30.0, 0.0, 40.0])
    assert roots.lengths.sum() == pytest.approx(50.0)
    np.testing.assert_allclose(roots.start[1:], roots.end[:-1])


def test_gravitropism_turns_a_level_root_as_the_differential_equation_says() -> None:
    # d angle / d s = -k cos(angle), angle below the horizon: sin(angle) = tanh(k s).
    rate, length = 0.02, 60.0
    last = grown(direction=(1.0, 0.0, 0.0), length=length, gravitropism=rate, step=0.05)
    heading = (last.end - last.start)[-1] / 0.05
    assert heading[1] == pytest.approx(math.tanh(rate * length), abs=2e-3)


def test_direction_spreads_as_curvature_that_forgets() -> None:
    # The angle in a plane is the integral of an Ornstein-Uhlenbeck curvature: 2 w² L² (s/L - 1 + exp(-s/L)).
    wander, memory, length = 0.004, 15.0, 40.0
    roots = grown(4000, length=length, wander=wander, wander_length=memory)
    heading = (roots.end - roots.start).reshape(4000, -1, 3)[:, -1]
    expected = 2 * (wander * memory) ** 2 * (length / memory - 1 + math.exp(-length / memory))
    for sideways in (heading[:, 0], heading[:, 2]):
        assert sideways.var() == pytest.approx(expected, rel=0.12)


def test_roots_stay_inside_the_walls_and_taper() -> None:
    box = Box(width=20.0, depth=6.0)
    start = np.tile([10.0, 0.0, 3.0], (200, 1))
    direction = default_rng(1).standard_normal((200, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    many = Seedlings(start, direction, np.full(200, 80.0), np.full(200, 0.5))
    roots = grow(many, 0, AxisGrowth(0.01, 0.1, 5.0, taper=0.6), box, default_rng(2))
    for ends in (roots.start, roots.end):
        assert (ends >= 0.0).all()
        assert (ends[:, 0] <= 20.0).all()
        assert (ends[:, 2] <= 6.0).all()
    assert roots.radius[0, 0] == 0.5
    last = np.flatnonzero(np.diff(roots.axis, append=-1))
    np.testing.assert_allclose(roots.radius[last, 1], 0.5 * 0.4)


def test_branches_are_as_dense_as_asked_behind_the_tip_and_start_on_their_parent() -> None:
    parents = grown(300, length=100.0)
    branching = Branching(density=0.2, length=10.0, radius=0.2, angle=math.radians(70.0), apical_zone=40.0)
    young = branches(parents, branching, default_rng(3))
    # Poisson with mean 300 roots × 60 mm × 0.2 / mm = 3600.
    assert abs(len(young.length) - 3600) < 4 * 60
    along = young.start[:, 1]
    assert along.max() <= 60.0
    np.testing.assert_allclose(along.mean(), 30.0, atol=1.5)
    np.testing.assert_allclose(young.start[:, [0, 2]], MIDDLE)
    assert np.median(np.degrees(np.arccos(young.direction[:, 1]))) == pytest.approx(70.0, abs=2.0)
    assert (young.radius <= 0.4).all()
    assert young.length[along < 10].mean() > young.length[along > 50].mean()


def test_joined_systems_keep_their_roots_apart() -> None:
    first, second = grown(2, length=3.0), grown(3, length=2.0)
    both = RootSystem.joined([first, second])
    assert both.axes == 5
    assert both.axis.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4]
