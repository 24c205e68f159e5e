"""Meshes read back by hand, as other programs read them."""

from pathlib import Path

import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.io.meshes import save_mesh

CORNERS = np.array([[0, 0, 0], [0, 0, 2], [0, 3, 0], [4, 0, 0]], np.float32)  # z, y, x
TRIANGLES = np.array([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]], np.int32)


def test_stl_holds_every_triangle_with_its_normal_in_x_y_z(tmp_path: Path) -> None:
    save_mesh(tmp_path / "a.stl", CORNERS, TRIANGLES)
    raw = (tmp_path / "a.stl").read_bytes()
    assert len(raw) == 84 + 50 * 4
    assert int.from_bytes(raw[80:84], "little") == 4
    first = np.frombuffer(raw[84:132], "<f4").reshape(4, 3)
    np.testing.assert_allclose(first[1:], CORNERS[[2, 1, 0], ::-1])
    np.testing.assert_allclose(np.abs(first[0]), [0, 0, 1])


def test_the_volume_inside_keeps_its_sign(tmp_path: Path) -> None:
    """Signed volume by the divergence theorem: mirroring the axes must not turn the surface inside out."""
    save_mesh(tmp_path / "a.stl", CORNERS, TRIANGLES)
    raw = np.frombuffer((tmp_path / "a.stl").read_bytes()[84:], np.dtype([("f", "<f4", (4, 3)), ("a", "<u2")]))
    inside = np.einsum("ni,ni->n", raw["f"][:, 1], np.cross(raw["f"][:, 2], raw["f"][:, 3])).sum() / 6
    given = CORNERS[TRIANGLES].astype(np.float64)
    expected = np.einsum("ni,ni->n", given[:, 0], np.cross(given[:, 1], given[:, 2])).sum() / 6
    assert abs(expected) == pytest.approx(4.0)
    assert inside == pytest.approx(expected)


def test_vtk_is_big_endian_polydata(tmp_path: Path) -> None:
    save_mesh(tmp_path / "a.vtk", CORNERS, TRIANGLES)
    raw = (tmp_path / "a.vtk").read_bytes()
    start = raw.index(b"POINTS 4 float\n") + len(b"POINTS 4 float\n")
    np.testing.assert_array_equal(np.frombuffer(raw[start : start + 48], ">f4").reshape(4, 3), CORNERS[:, ::-1])
    start = raw.index(b"POLYGONS 4 16\n") + len(b"POLYGONS 4 16\n")
    cells = np.frombuffer(raw[start : start + 64], ">i4").reshape(4, 4)
    assert (cells[:, 0] == 3).all()
    np.testing.assert_array_equal(cells[:, 1:], TRIANGLES[:, ::-1])


def test_bad_meshes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.stl or \.vtk"):
        save_mesh(tmp_path / "a.obj", CORNERS, TRIANGLES)
    with pytest.raises(InputError, match="corners up to 9"):
        save_mesh(tmp_path / "a.stl", CORNERS, TRIANGLES + 6)
