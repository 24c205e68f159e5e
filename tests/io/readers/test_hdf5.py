import h5py
import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.io import inspect_file, open_label_volume, open_stack
from beamforge.stack import as_stack
from contracts.reader import ReaderContract


def write_nexus(path, values, **options):
    with h5py.File(path, "w") as file:
        file.attrs["default"] = "entry"
        data = file.create_group("entry/data")
        file["entry"].attrs.update({"NX_class": "NXentry", "default": "data"})
        data.attrs.update({"NX_class": "NXdata", "signal": "counts", "axes": ["wavelength", "y", "x"]})
        data.create_dataset("counts", data=values, **options).attrs["units"] = "counts"
        data["wavelength"] = np.arange(len(values)) * 0.1 + 0.2
        data["wavelength"].attrs["units"] = "nm"
        data["x"] = np.arange(values.shape[2]) * 0.055
        data["x"].attrs["units"] = "mm"
        file["entry/instrument/monitor"] = np.ones((4, 4))


class TestNexus(ReaderContract):
    name, suffix = "HDF5", ".nxs"

    def write(self, path, values):
        write_nexus(path, values)

    def expected(self, values):
        channels = [{"wavelength": w} for w in (np.arange(3) * 0.1 + 0.2) * 10]
        return as_stack(values, channels, pixel_size=0.055, pixel_size_unit="mm", units="counts")

    def test_coordinates_and_attributes_come_back(self, path, values) -> None:
        stack, expected = open_stack(path), self.expected(values)
        np.testing.assert_allclose(stack["wavelength"], expected["wavelength"])
        assert stack.attrs["units"] == "counts"
        assert stack.attrs["pixel_size"] == pytest.approx(0.055)


class TestChunkedPlain(ReaderContract):
    name, suffix, dtype = "HDF5", ".h5", "float32"

    def write(self, path, values):
        with h5py.File(path, "w") as file:
            file.create_dataset("scan/frames", data=values, chunks=(2, 10, 20), compression="gzip")


def test_a_path_chooses(tmp_path) -> None:
    values = default_rng(0).random((3, 4, 5))
    write_nexus(tmp_path / "a.nxs", values)
    np.testing.assert_array_equal(open_stack(f"{tmp_path}/a.nxs:/entry/data/counts").values, values)
    np.testing.assert_array_equal(open_stack(f"{tmp_path}/a.nxs:/entry/data").values, values)
    assert open_stack(tmp_path / "a.nxs", dataset="entry/instrument/monitor").shape == (1, 4, 4)
    with pytest.raises(InputError, match="did you mean '/entry/data/counts'"):
        open_stack(tmp_path / "a.nxs", dataset="/entry/data/count")


def test_several_candidates_are_listed(tmp_path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["sample"], file["open_beam"], file["angles"] = np.ones((2, 4, 5)), np.ones((4, 5), np.uint16), np.ones(9)
    with pytest.raises(InputError, match=r"2 datasets that may be images.*/open_beam: 4×5 uint16; /sample"):
        open_stack(tmp_path / "a.h5")
    found = inspect_file(tmp_path / "a.h5")
    assert found.kind == "container"
    assert "/open_beam: 4×5 uint16" in found.render()


def test_links_to_other_files_are_followed(tmp_path) -> None:
    values = default_rng(0).random((3, 4, 5))
    with h5py.File(tmp_path / "part.h5", "w") as file:
        file["raw"] = values
    with h5py.File(tmp_path / "master.h5", "w") as file:
        file["data_000001"] = h5py.ExternalLink("part.h5", "/raw")
        file["gone"] = h5py.ExternalLink("gone.h5", "/raw")
    np.testing.assert_array_equal(open_stack(tmp_path / "master.h5").values, values)


def test_missing_parts_of_a_virtual_dataset_are_named(tmp_path) -> None:
    with h5py.File(tmp_path / "v.h5", "w") as file:
        layout = h5py.VirtualLayout((2, 4, 5), "f4")
        layout[0] = h5py.VirtualSource("part_1.h5", "raw", (4, 5))
        layout[1] = h5py.VirtualSource("part_2.h5", "raw", (4, 5))
        file.create_virtual_dataset("all", layout)
    with h5py.File(tmp_path / "part_1.h5", "w") as file:
        file["raw"] = np.ones((4, 5), np.float32)
    with pytest.raises(InputError, match=r"1 are missing: \['part_2.h5'\]"):
        open_stack(tmp_path / "v.h5")


def test_raw_files_outside_are_refused(tmp_path) -> None:
    (tmp_path / "secret").write_bytes(bytes(20))
    with h5py.File(tmp_path / "e.h5", "w") as file:
        file.create_dataset("d", (4, 5), "u1", external=[(str(tmp_path / "secret"), 0, 20)])
    with pytest.raises(InputError, match="raw file"):
        open_stack(tmp_path / "e.h5")


def test_a_declared_size_over_the_default_cap_is_refused(tmp_path) -> None:
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file.create_dataset("d", (400, 6000, 60_000), "u1", chunks=(1, 6000, 60_000), compression="gzip")
    with pytest.raises(InputError, match=r"134\.1 GiB, more than the limit"):
        open_stack(tmp_path / "b.h5")


def test_units_that_cannot_be_converted_are_refused(tmp_path) -> None:
    write_nexus(tmp_path / "u.nxs", np.ones((3, 4, 5)))
    with h5py.File(tmp_path / "u.nxs", "a") as file:
        file["entry/data/wavelength"].attrs["units"] = "furlong"
    with pytest.raises(InputError, match="wavelength is in 'furlong', expected Å"):
        open_stack(tmp_path / "u.nxs")


def test_matlab_stores_columns_first(tmp_path) -> None:
    values = default_rng(0).random((4, 5, 3))  # rows, columns, frames, as MATLAB shows it
    with h5py.File(tmp_path / "m.mat", "w", userblock_size=512) as file:
        file["frames"] = values.T
        file["frames"].attrs["MATLAB_class"] = np.bytes_("double")
    np.testing.assert_array_equal(open_stack(tmp_path / "m.mat").values, np.moveaxis(values, -1, 0))


def test_a_real_grain_volume(real_data) -> None:
    path = real_data / "labdct" / "al1050_grain_volume" / "lab_dct_Al1050.h5"
    with pytest.raises(InputError, match="/LabDCT/Data/GrainId: 64×103×109 int64"):
        open_stack(path)
    volume = open_label_volume(f"{path}:/LabDCT/Data/GrainId")
    assert volume.shape == (64, 103, 109)
    assert int(volume.max()) == 105
