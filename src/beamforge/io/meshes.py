"""Surfaces for programs that show or print them: STL and VTK."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.files import atomic_path

_STL_TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def save_mesh(path: str | Path, corners: Float32, triangles: NDArray[np.int32]) -> None:
    """Write a mesh.

    Parameters
    ----------
    path
        ``NAME.stl`` (binary) or ``NAME.vtk`` (legacy binary polydata).
    corners
        (corner, 3) as z, y, x in the unit of length; the file holds x, y, z.
    triangles
        (triangle, 3) numbers of corners.

    Raises
    ------
    InputError
        For another ending, or triangles of corners that do not exist.
    """
    target = Path(path)
    writers = {".stl": _stl, ".vtk": _vtk}
    if target.suffix.lower() not in writers:
        raise InputError(f"{target}: meshes are saved as .stl or .vtk, not as {target.suffix or 'a folder'!r}")
    if len(triangles) and not 0 <= triangles.min() <= triangles.max() < len(corners):
        raise InputError(f"{target}: triangles name corners up to {triangles.max()}, there are {len(corners)}")
    places = np.ascontiguousarray(corners[:, ::-1], dtype=np.float32)
    # Mirroring the axes turns every triangle around.
    faces = np.ascontiguousarray(triangles[:, ::-1], dtype=np.int32)
    with atomic_path(target) as temporary:
        temporary.write_bytes(writers[target.suffix.lower()](places, faces))


def _stl(places: Float32, faces: NDArray[np.int32]) -> bytes:
    records = np.zeros(len(faces), dtype=_STL_TRIANGLE)
    records["corners"] = places[faces]
    normals = np.cross(
        records["corners"][:, 1] - records["corners"][:, 0], records["corners"][:, 2] - records["corners"][:, 0]
    )
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    records["normal"] = np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)
    return b"beamforge".ljust(80) + np.uint32(len(faces)).tobytes() + records.tobytes()


def _vtk(places: Float32, faces: NDArray[np.int32]) -> bytes:
    cells = np.column_stack([np.full(len(faces), 3, np.int32), faces])
    header = f"# vtk DataFile Version 3.0\nbeamforge\nBINARY\nDATASET POLYDATA\nPOINTS {len(places)} float\n"
    middle = f"\nPOLYGONS {len(faces)} {cells.size}\n"
    return header.encode() + places.astype(">f4").tobytes() + middle.encode() + cells.astype(">i4").tobytes() + b"\n"
