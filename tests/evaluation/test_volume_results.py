"""Figures of label volumes against balls, boxes and ellipsoids."""

import numpy as np
import pytest
from skimage.measure import euler_number

from beamforge.errors import InputError
from beamforge.evaluation import volume_results
from beamforge.evaluation.volume_results import check_memory, measure_volume, mesh, surface_area

NAMES = ("matrix", "precipitate", "inclusion")


def ellipsoid(shape, centre, radii) -> np.ndarray:
    grid = np.indices(shape) - np.reshape(centre, (3, 1, 1, 1))
    return ((grid / np.reshape(radii, (3, 1, 1, 1))) ** 2).sum(axis=0) <= 1


@pytest.mark.parametrize(("radius", "error"), [(4.0, 0.1), (7.5, 0.05), (15.0, 0.03)])
def test_the_surface_and_sphericity_of_a_ball(radius: float, error: float) -> None:
    side = int(2 * radius + 9)
    labels = ellipsoid((side,) * 3, (side / 2 - 0.3,) * 3, (radius,) * 3).astype(np.uint8)
    (ball,) = measure_volume(labels, NAMES, voxel=0.5, unit="µm").particles
    assert ball.surface == pytest.approx(4 * np.pi * (0.5 * radius) ** 2, rel=error)
    assert ball.sphericity == pytest.approx(1.0, abs=error)
    assert ball.equivalent_diameter == pytest.approx(radius, rel=0.03)
    assert ball.volume == ball.voxels * 0.125
    assert ball.axes == pytest.approx((radius,) * 3, rel=0.04)
    assert not ball.cut


def test_the_axes_and_centre_of_an_ellipsoid_of_the_second_class() -> None:
    labels = 2 * ellipsoid((30, 40, 60), (14, 19, 29), (6, 10, 20)).astype(np.uint8)
    (one,) = measure_volume(labels, NAMES).of("inclusion")
    assert one.axes == pytest.approx((40, 20, 12), rel=0.04)
    assert one.centre == pytest.approx((14, 19, 29), abs=0.05)
    assert one.elongation == pytest.approx(0.5, rel=0.04)
    assert one.flatness == pytest.approx(0.6, rel=0.04)
    assert one.sphericity is not None
    assert one.sphericity < 0.9


def test_fractions_leave_out_ignored_voxels_and_cut_particles_are_marked() -> None:
    labels = np.zeros((10, 10, 10), np.uint8)
    labels[0:4, 2:6, 2:6] = 1
    labels[6:8, 6:8, 6:8] = 2
    labels[9] = 255
    found = measure_volume(labels, NAMES)
    assert found.fractions == pytest.approx(
        {"matrix": (900 - 64 - 8) / 900, "precipitate": 64 / 900, "inclusion": 8 / 900}
    )
    assert [one.cut for one in found.particles] == [True, False]
    assert found.specific_surface["precipitate"] == pytest.approx(surface_area(labels == 1) / 900)
    assert len(measure_volume(labels, NAMES, least=9).particles) == 1


def test_touching_corners_make_one_particle_and_single_voxels_have_no_surface() -> None:
    labels = np.zeros((6, 6, 6), np.uint8)
    labels[1, 1, 1] = labels[2, 2, 2] = labels[4, 4, 4] = 1
    found = measure_volume(labels, NAMES).particles
    assert sorted(one.voxels for one in found) == [1, 2]
    assert all(one.surface is None for one in found)


def test_a_mesh_is_closed_around_its_mask_also_at_the_border() -> None:
    mask = np.zeros((12, 12, 12), bool)
    mask[:6, 3:9, 3:9] = True
    corners, triangles = mesh(mask)
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert (counts == 2).all()
    assert len(corners) - len(counts) + len(triangles) == 2 * euler_number(mask)
    assert corners[:, 0].min() == pytest.approx(-0.5, abs=0.1)
    assert len(mesh(np.zeros((4, 4, 4), bool))[1]) == 0


def test_what_cannot_be_measured_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="volume"):
        measure_volume(np.zeros((4, 4), np.uint8), NAMES)
    with pytest.raises(InputError, match=r"\[7\], only 0..2"):
        measure_volume(np.full((2, 2, 2), 7, np.uint8), NAMES)
    with pytest.raises(InputError, match="ignore"):
        measure_volume(np.full((2, 2, 2), 255, np.uint8), NAMES)
    monkeypatch.setattr(volume_results, "_BYTES_PER_VOXEL", 1 << 50)
    with pytest.raises(InputError, match="bin it by 2"):
        check_memory((100, 100, 100))
