from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.physics.orientations import disorientation, from_euler, uniform_orientations
from beamforge.simulation.polycrystals.grain_files import grain_volume, read_grain_volume
from beamforge.simulation.polycrystals.mesh import GrainMesh
from beamforge.simulation.polycrystals.volume import GrainVolume


def blocks() -> GrainVolume:
    """Three grains of known size in a volume off the axis: 20×8×8, 10×5×4 voxels and one voxel."""
    labels = np.zeros((24, 20, 16), np.int32)
    labels[2:22, 4:12, 4:12] = 1
    labels[5:15, 12:17, 2:6] = 3
    labels[0, 0, 0] = 2
    return GrainVolume(labels, uniform_orientations(3, default_rng(1)), 0.002, centre=(0.1, -0.2, 0.05))


def test_grains_have_their_size() -> None:
    volume = blocks()
    np.testing.assert_allclose(volume.volumes, np.array([1280, 1, 200]) * 8e-9)
    assert volume.diameters[1] == pytest.approx(0.002 * (6 / np.pi) ** (1 / 3))


@pytest.mark.parametrize("edge", [0.0007, 0.002, 0.0041, 0.006, (0.002, 0.004, 0.008)])
def test_a_mesh_keeps_volume_and_centre_of_mass(edge) -> None:
    volume = blocks()
    mesh = GrainMesh.of(volume, edge)
    z, y, x = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in volume.labels.shape), indexing="ij")
    for grain in range(3):
        cells = slice(mesh.first[grain], mesh.first[grain + 1])
        assert mesh.volumes[cells].sum() == pytest.approx(volume.volumes[grain], rel=1e-12)
        own = volume.labels == grain + 1
        centre = np.array([axis[own].mean() for axis in (x, y, z)]) * 0.002 + np.array(volume.centre)
        mass = np.average(mesh.centres[cells], axis=0, weights=mesh.volumes[cells])
        np.testing.assert_allclose(mass, centre, atol=1e-12)
        reach = np.linalg.norm(mesh.centres[cells] - mesh.middles[grain], axis=1)
        assert (reach <= mesh.radii[grain]).all()


def test_cells_are_about_as_large_as_wanted() -> None:
    volume = blocks()
    np.testing.assert_allclose(GrainMesh.of(volume, 0.004).edges[0], 0.004)
    np.testing.assert_allclose(GrainMesh.of(volume, 0.001).edges[0], 0.001)
    # The smaller grain is cut finer than asked for, its voxels permitting; the lone voxel cannot be.
    assert (GrainMesh.of(volume, 0.02).edges[2] <= 0.0021).all()
    assert len(GrainMesh.of(volume, 0.02).centres) < 200 + 1280


def test_measured_grains_are_read(real_data: Path) -> None:
    volume = read_grain_volume(real_data / "labdct" / "al1050_grain_volume" / "lab_dct_Al1050.h5")
    assert volume.labels.shape == (64, 103, 109)
    assert volume.count == 105
    assert volume.voxel_size == pytest.approx(0.0025)
    np.testing.assert_allclose(volume.centre, [0.02198992, 0.00942425, 0.02513134], atol=1e-7)
    diameters = volume.diameters * 1e3
    assert (diameters.mean(), diameters.std()) == pytest.approx((38.0, 32.0), abs=1.5)
    # The file's orientation of the first grain, as an axis and an angle.
    with h5py.File(real_data / "labdct" / "al1050_grain_volume" / "lab_dct_Al1050.h5") as root:
        vector = root["LabDCT/Data/Rodrigues"][()][root["LabDCT/Data/GrainId"][()] == 1][0].astype(float)
    axis = vector / np.linalg.norm(vector)
    np.testing.assert_allclose(volume.orientations[0] @ axis, axis, atol=1e-6)
    angle = np.degrees(2 * np.arctan(np.linalg.norm(vector)))
    still = np.eye(3)[None]
    assert disorientation(volume.orientations[:1], still, still)[0] == pytest.approx(angle, abs=1e-4)


def dream_file(folder: Path, spacing=(1.5, 1.5, 1.5)) -> Path:
    path = folder / "grains.dream3d"
    labels = np.zeros((4, 5, 6, 1), np.int32)
    labels[:2], labels[2:] = 7, 4
    angles = np.where(labels == 7, np.array([0.3, 0.5, 0.1]), np.array([1.0, 0.2, 2.0])).astype(np.float32)
    with h5py.File(path, "w") as root:
        container = root.create_group("DataContainers/SyntheticVolume")
        container["CellData/FeatureIds"] = labels
        container["CellData/EulerAngles"] = angles
        if spacing is not None:
            container["_SIMPL_GEOMETRY/SPACING"] = np.asarray(spacing, np.float32)
    return path


def test_dream3d_files_are_read(tmp_path: Path) -> None:
    volume = read_grain_volume(dream_file(tmp_path))
    assert volume.voxel_size == pytest.approx(0.0015)
    np.testing.assert_array_equal(np.unique(volume.labels[:2]), [2])
    np.testing.assert_allclose(volume.orientations[1], from_euler(np.degrees([0.3, 0.5, 0.1])), atol=1e-6)


def test_files_that_do_not_serve_say_why(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected cubes"):
        read_grain_volume(dream_file(tmp_path, spacing=(1.0, 1.0, 2.0)))
    with pytest.raises(InputError, match="no image geometry"):
        read_grain_volume(dream_file(tmp_path, spacing=None))
    with h5py.File(tmp_path / "other.h5", "w") as root:
        root["image"] = np.zeros((3, 3))
    with pytest.raises(InputError, match="holds no grains"):
        read_grain_volume(tmp_path / "other.h5")
    (tmp_path / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"0" * 64)
    with pytest.raises(InputError, match="cannot be read as a grain volume"):
        read_grain_volume(tmp_path / "broken.h5")


def test_volumes_that_cannot_be_are_named() -> None:
    turn = np.eye(3)[None]
    ones = np.ones((2, 2, 2), np.int32)
    with pytest.raises(InputError, match="reach from 0 to 1, expected 1 to 0"):
        GrainVolume(ones, np.zeros((0, 3, 3)), 0.001)
    with pytest.raises(InputError, match="no rotation matrix"):
        GrainVolume(ones, 2 * turn, 0.001)
    with pytest.raises(InputError, match="-1 mm wide"):
        GrainVolume(ones, turn, -1.0)
    with pytest.raises(InputError, match="strains have the shape"):
        GrainVolume(ones, turn, 0.001, strains=np.zeros((2, 3, 3)))
    with pytest.raises(InputError, match="type float64"):
        GrainVolume(ones.astype(float), turn, 0.001)
    with pytest.raises(InputError, match="no number is above 0"):
        grain_volume(0 * ones, np.broadcast_to(np.eye(3), (2, 2, 2, 3, 3)), 0.001)
    with pytest.raises(InputError, match="expected more than 0"):
        GrainMesh.of(GrainVolume(ones, turn, 0.001), 0.0)
