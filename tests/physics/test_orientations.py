import numpy as np
import pytest
from numpy.random import default_rng
from scipy.stats import kstest

from beamforge.errors import InputError
from beamforge.physics.crystals import Crystal
from beamforge.physics.orientations import (
    TextureComponent,
    disorientation,
    from_euler,
    from_rodrigues,
    textured_orientations,
    uniform_orientations,
)


def test_uniform_orientations_turn_by_the_law_of_so3() -> None:
    first, second = uniform_orientations(4000, default_rng(3)), uniform_orientations(4000, default_rng(4))
    angles = disorientation(first, second, np.eye(3)[None])
    # The angle between random rotations has the density (1 - cos w) / π.
    assert kstest(np.radians(angles), lambda w: (w - np.sin(w)) / np.pi).pvalue > 0.01


def test_uniform_cubic_orientations_have_mackenzies_distribution() -> None:
    rng = default_rng(5)
    rotations = Crystal.named("Al").rotations
    angles = disorientation(uniform_orientations(20000, rng), uniform_orientations(20000, rng), rotations)
    # Mackenzie, Biometrika 45 (1958), 229: mean 40.74°, median 42.34°, mode 45°, none above 62.80°; up to 45° the
    # density is 24 times that of no symmetry.
    assert angles.mean() == pytest.approx(40.74, abs=0.25)
    assert np.median(angles) == pytest.approx(42.34, abs=0.3)
    assert angles.max() < 62.80
    below = angles[angles <= 45.0]
    radians = np.radians([0.0, 45.0])
    assert len(below) / len(angles) == pytest.approx(24 * (radians[1] - np.sin(radians[1])) / np.pi, abs=0.01)
    law = kstest(np.radians(below), lambda w: (w - np.sin(w)) / (radians[1] - np.sin(radians[1])))
    assert law.pvalue > 0.01


def test_disorientation_does_not_see_symmetry() -> None:
    rng = default_rng(6)
    for name in ("Al", "Ti"):
        rotations = Crystal.named(name).rotations
        first = uniform_orientations(50, rng)
        again = first @ rotations[rng.integers(0, len(rotations), 50)]
        np.testing.assert_allclose(disorientation(first, again, rotations), 0.0, atol=1e-5)


def test_bunge_angles_have_their_matrix() -> None:
    # Bunge's g for (phi1, 0, 0) turns sample axes by phi1 about z; ours is its transpose.
    quarter = from_euler(np.array([90.0, 0.0, 0.0]))
    np.testing.assert_allclose(quarter @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    phi1, big, phi2 = np.radians([20.0, 35.0, 50.0])
    c1, s1, c2, s2, c, s = np.cos(phi1), np.sin(phi1), np.cos(phi2), np.sin(phi2), np.cos(big), np.sin(big)
    g = [[c1 * c2 - s1 * s2 * c, s1 * c2 + c1 * s2 * c, s2 * s],
         [-c1 * s2 - s1 * c2 * c, -s1 * s2 + c1 * c2 * c, c2 * s],
         [s1 * s, -c1 * s, c]]  # fmt: skip
    np.testing.assert_allclose(from_euler(np.array([20.0, 35.0, 50.0])), np.transpose(g), atol=1e-12)


def test_rodrigues_vectors_turn_about_their_axis() -> None:
    turned = from_rodrigues(np.array([[0.0, 0.0, np.tan(np.radians(15.0))], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(turned[0], from_euler(np.array([30.0, 0.0, 0.0])), atol=1e-12)
    np.testing.assert_allclose(turned[1], np.eye(3), atol=1e-12)


def test_texture_gathers_its_share() -> None:
    component = TextureComponent(euler=(0.0, 45.0, 10.0), spread=3.0, share=0.6)
    drawn = textured_orientations(5000, (component,), default_rng(7))
    ideal = np.broadcast_to(from_euler(np.array(component.euler)), drawn.shape)
    angles = disorientation(ideal, drawn, np.eye(3)[None])
    near = angles < 15.0
    assert near.mean() == pytest.approx(0.6, abs=0.03)
    # The length of three normal components of 3° each has the mean 3° sqrt(8 / π).
    assert angles[near].mean() == pytest.approx(3.0 * np.sqrt(8 / np.pi), rel=0.05)
    with pytest.raises(InputError, match=r"claim 1.2"):
        textured_orientations(3, (component, component), default_rng(8))
