import math

import numpy as np
import pytest

from beamforge.simulation.roots.projection import View, distance_outside, tissue_path
from beamforge.simulation.roots.system import RootSystem


def system(*segments: tuple, axes: list[int] | None = None) -> RootSystem:
    start, end, radius = zip(*segments, strict=True)
    axis = np.arange(len(segments)) if axes is None else np.array(axes)
    radii = np.array([[r, r] if np.isscalar(r) else r for r in radius], float)
    return RootSystem(np.array(start, float), np.array(end, float), radii, np.zeros(len(segments), int), axis)


VIEW = View(left=0.0, top=0.0, pixel_size=0.1, shape=(80, 100))


def test_path_through_a_cylinder_is_its_chord() -> None:
    path = tissue_path(system(((5.0, -5.0, 1.0), (5.0, 20.0, 1.0), 1.2)), VIEW)
    chord = 2 * np.sqrt(np.clip(1.2**2 - (VIEW.x - 5.0) ** 2, 0, None))
    inside = np.abs(VIEW.x - 5.0) < 1.1
    np.testing.assert_allclose(path[40, inside], chord[inside], rtol=0.01)
    assert (path[:, np.abs(VIEW.x - 5.0) > 1.3] == 0).all()
    # Area under the profile: the cross section, whatever the pixels are.
    assert path[40].sum() * 0.1 == pytest.approx(math.pi * 1.2**2, rel=0.01)


def test_a_slanted_root_is_longer_along_the_beam() -> None:
    # 45° towards the beam: the chord is √2 diameters.
    path = tissue_path(system(((5.0, -20.0, -20.0), (5.0, 30.0, 30.0), 0.5)), VIEW)
    assert path[40, 49:51].mean() == pytest.approx(1.0 * math.sqrt(2), rel=0.02)


def test_thin_roots_keep_their_volume() -> None:
    # 0.4 px thick: much of it falls between rays, but on average over its length none is lost.
    path = tissue_path(system(((1.0, 1.0, 0.0), (9.0, 7.0, 0.0), 0.02)), VIEW)
    assert path.sum() * 0.1**2 == pytest.approx(math.pi * 0.02**2 * 10.0, rel=0.1)


def test_crossing_roots_add_up_but_segments_of_one_root_do_not() -> None:
    joint = ((5.0, -1.0, 0.0), (5.0, 4.0, 0.0), 0.8), ((5.0, 4.0, 0.0), (5.0, 9.0, 0.0), 0.8)
    whole = ((5.0, -1.0, 0.0), (5.0, 9.0, 0.0), 0.8)
    once = tissue_path(system(whole), VIEW)
    np.testing.assert_allclose(tissue_path(system(*joint, axes=[3, 3]), VIEW), once, atol=1e-5)
    np.testing.assert_allclose(tissue_path(system(whole, whole, axes=[3, 4]), VIEW), 2 * once, rtol=1e-5)


def test_a_segment_without_length_is_a_ball() -> None:
    path = tissue_path(system(((5.0, 4.0, 0.0), (5.0, 4.0, 0.0), 1.5)), VIEW)
    squared = (VIEW.x[None] - 5.0) ** 2 + (VIEW.y[:, None] - 4.0) ** 2
    inside = squared < 1.4**2
    np.testing.assert_allclose(path[inside], 2 * np.sqrt(1.5**2 - squared[inside]), rtol=0.02)
    assert path.sum() * 0.1**2 == pytest.approx(4 / 3 * math.pi * 1.5**3, rel=0.01)


def test_distance_is_that_to_the_nearest_surface() -> None:
    roots = system(((2.0, 2.0, 0.0), (2.0, 6.0, 0.0), 0.3), ((6.0, 4.0, 5.0), (9.0, 4.0, 5.0), (0.2, 0.6)))
    found = distance_outside(roots, VIEW, 15.0)
    for row, column in ((0, 0), (40, 30), (70, 20), (40, 75), (35, 99), (40, 20)):
        x, y = VIEW.x[column], VIEW.y[row]
        near = []
        for t in np.linspace(0, 1, 2001):
            near.append(math.hypot(x - 2.0, y - (2 + 4 * t)) - 0.3)
            near.append(math.hypot(x - (6 + 3 * t), y - 4.0) - (0.2 + 0.4 * t))
        # The taper of the second root moves the nearest point a little along it.
        assert found[row, column] == pytest.approx(min(15.0, min(near) / 0.1), abs=0.15)


def test_what_lies_outside_the_view_does_not_matter() -> None:
    inside = ((5.0, 2.0, 0.0), (5.0, 6.0, 0.0), 0.3)
    far = ((50.0, 2.0, 0.0), (50.0, 6.0, 0.0), 0.3)
    alone, both = system(inside), system(inside, far)
    np.testing.assert_array_equal(tissue_path(alone, VIEW), tissue_path(both, VIEW))
    np.testing.assert_array_equal(distance_outside(alone, VIEW, 5.0), distance_outside(both, VIEW, 5.0))
