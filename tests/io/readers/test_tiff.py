import json

import numpy as np
import pytest
import tifffile
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.io import open_stack, save_stack
from beamforge.stack import Channel, as_stack, channels_of
from contracts.reader import ReaderContract


class TestOwnTiff(ReaderContract):
    name, suffix = "TIFF", ".tif"

    def stack(self, values):
        channels = [Channel(mode=m, autocorrelation_length=120.5) for m in ("H0", "H1", "DF")]
        return as_stack(values, channels, pixel_size=43.99, units="counts")

    def write(self, path, values):
        save_stack(path, self.stack(values))

    def expected(self, values):
        return self.stack(values)


class TestBigEndianPages(ReaderContract):
    name, suffix = "TIFF", ".tiff"

    def write(self, path, values):
        tifffile.imwrite(path, values, byteorder=">", photometric="minisblack", metadata=None)


class TestCompressedStrips(ReaderContract):
    name, suffix = "TIFF", ".tif"

    def write(self, path, values):
        tifffile.imwrite(
            path, values, compression="lzw", predictor=True, rowsperstrip=5, photometric="minisblack", metadata=None
        )


class TestFloatTiles(ReaderContract):
    name, suffix, dtype = "TIFF", ".tif", "float32"

    def write(self, path, values):
        tifffile.imwrite(path, values, compression="zlib", tile=(16, 32), photometric="minisblack", bigtiff=True)


class TestImageJ(ReaderContract):
    name, suffix = "TIFF", ".tif"

    def write(self, path, values):
        tifffile.imwrite(
            path,
            values[:, None],
            imagej=True,
            resolution=(1 / 0.25, 1 / 0.25),
            metadata={"axes": "ZCYX", "unit": "micron", "spacing": 2.0},
        )

    def expected(self, values):
        return as_stack(values, pixel_size=0.25, pixel_size_unit="µm", z_spacing=2.0)


class TestOmeTiff(ReaderContract):
    name, suffix = "TIFF", ".ome.tif"

    def write(self, path, values):
        metadata = {
            "axes": "CYX",
            "PhysicalSizeX": 65.0,
            "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": 65.0,
            "PhysicalSizeYUnit": "nm",
            "Channel": {"Name": ["H0", "H1", "DF"]},
        }
        tifffile.imwrite(path, values, ome=True, metadata=metadata, photometric="minisblack")

    def expected(self, values):
        return as_stack(values, [{"mode": m} for m in ("H0", "H1", "DF")], pixel_size=65.0, pixel_size_unit="nm")


def test_hyperstack_axes_become_coordinates(tmp_path) -> None:
    values = default_rng(0).integers(0, 999, (2, 3, 4, 8, 9), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "h.tif", values, imagej=True, metadata={"axes": "TZCYX"})
    stack = open_stack(tmp_path / "h.tif")
    assert stack.sizes["channel"] == 24
    at = int(np.flatnonzero((stack["t"] == 1) & (stack["z"] == 2) & (stack["c"] == 3))[0])
    np.testing.assert_array_equal(stack[at].values, values[1, 2, 3])


def test_scitiff_coordinates(tmp_path) -> None:
    values = default_rng(0).random((4, 1, 1, 8, 9)).astype(np.float32)
    coords = {
        "t": {"dims": ["t"], "shape": [4], "unit": "ms", "dtype": "float64", "values": [1.0, 2.0, 3.0, 4.0]},
        "wavelength": {"dims": ["t"], "shape": [4], "unit": "nm", "dtype": "float64", "values": [0.1, 0.2, 0.3, 0.4]},
        "x": {"dims": ["x"], "shape": [9], "unit": "mm", "dtype": "float64", "values": (0.055 * np.arange(9)).tolist()},
    }
    image = {"data": {"unit": "counts", "dtype": "float32"}, "coords": coords}
    metadata = {"axes": "TZCYX", "scitiffmeta": json.dumps({"image": image})}
    tifffile.imwrite(tmp_path / "s.tiff", values, imagej=True, metadata=metadata)
    stack = open_stack(tmp_path / "s.tiff")
    np.testing.assert_allclose(stack["wavelength"], [1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(stack["t"], [1.0, 2.0, 3.0, 4.0])
    assert stack.attrs["pixel_size"] == pytest.approx(0.055)
    assert (stack.attrs["pixel_size_unit"], stack.attrs["units"]) == ("mm", "counts")


def test_what_scitiff_itself_writes(tmp_path) -> None:
    scitiff = pytest.importorskip("scitiff.io")
    scipp = pytest.importorskip("scipp")
    values = default_rng(0).integers(0, 999, (4, 8, 9)).astype(np.float32)
    image = scipp.DataArray(
        scipp.array(dims=["t", "y", "x"], values=values, unit="counts"),
        coords={
            "t": scipp.array(dims=["t"], values=[10.0, 20.0, 30.0, 40.0], unit="ms"),
            "x": scipp.linspace("x", 0.0, 0.8, 9, unit="mm"),
            "y": scipp.linspace("y", 0.0, 0.7, 8, unit="mm"),
        },
    )
    scitiff.save_scitiff(image, tmp_path / "s.tiff")
    stack = open_stack(tmp_path / "s.tiff")
    np.testing.assert_array_equal(stack.values, values)
    np.testing.assert_allclose(stack["t"], [10.0, 20.0, 30.0, 40.0])
    assert (stack.attrs["pixel_size"], stack.attrs["pixel_size_unit"]) == (pytest.approx(0.1), "mm")


def test_colours_become_channels_and_alpha_is_left_out(tmp_path) -> None:
    values = default_rng(0).integers(0, 255, (20, 30, 4), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "c.tif", values, photometric="rgb", extrasamples=["unassalpha"], rowsperstrip=3)
    stack = open_stack(tmp_path / "c.tif")
    assert stack["mode"].values.tolist() == ["red", "green", "blue"]
    np.testing.assert_array_equal(stack.values, np.moveaxis(values[..., :3], -1, 0))


def test_separate_colour_planes(tmp_path) -> None:
    values = default_rng(0).integers(0, 60000, (3, 20, 30), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "c.tif", values, photometric="rgb", planarconfig="separate", compression="zlib")
    stack = open_stack(tmp_path / "c.tif")
    assert stack["mode"].values.tolist() == ["red", "green", "blue"]
    np.testing.assert_array_equal(stack.values, values)


@pytest.mark.parametrize(
    ("resolution", "unit", "micrometres"),
    [
        ((227.3243, 227.3243), "CENTIMETER", 43.99),
        ((72, 72), "INCH", None),
        ((300, 300), "INCH", None),
        ((118.11, 118.11), "CENTIMETER", None),
        ((1, 1), "NONE", None),
        ((227.3, 113.0), "CENTIMETER", None),
        ((10160, 10160), "INCH", 2.5),
    ],
)
def test_print_resolutions_are_no_pixel_sizes(tmp_path, resolution, unit, micrometres) -> None:
    tifffile.imwrite(tmp_path / "r.tif", np.zeros((4, 5), np.uint8), resolution=resolution, resolutionunit=unit)
    size = open_stack(tmp_path / "r.tif").attrs.get("pixel_size")
    assert size == (None if micrometres is None else pytest.approx(micrometres, rel=1e-4))


def test_images_of_different_kind_must_be_chosen(tmp_path) -> None:
    with tifffile.TiffWriter(tmp_path / "two.tif") as file:
        file.write(np.zeros((4, 5), np.uint8), metadata=None)
        file.write(np.ones((6, 7), np.uint16), metadata=None)
    with pytest.raises(InputError, match=r"holds 2 images that differ.*0: 4×5 uint8.*1: 6×7 uint16"):
        open_stack(tmp_path / "two.tif")
    assert open_stack(tmp_path / "two.tif", dataset=1).shape == (1, 6, 7)
    with pytest.raises(InputError, match="no image '2'"):
        open_stack(tmp_path / "two.tif", dataset=2)


def test_a_bomb_is_refused_by_its_declared_size(tmp_path) -> None:
    path = tmp_path / "bomb.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), compression="zlib", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags["ImageWidth"].overwrite(2_000_000)
        file.pages[0].tags["ImageLength"].overwrite(2_000_000)
    with pytest.raises(
        InputError, match=r"bomb.tif declares 2000000×2000000 uint8 values, 3.6 TiB, more than the limit"
    ):
        open_stack(path)


def test_one_strip_may_not_be_larger_than_what_is_decoded_at_once(tmp_path) -> None:
    path = tmp_path / "bomb.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), compression="zlib", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        for tag in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            file.pages[0].tags[tag].overwrite(200_000)
    with pytest.raises(InputError, match="one strip declares"):
        open_stack(path)


def test_reading_a_window_reads_few_bytes(tmp_path, monkeypatch) -> None:
    values = default_rng(0).integers(0, 9999, (1, 16000, 600), dtype=np.uint16)
    tifffile.imwrite(tmp_path / "w.tif", values, compression="zlib", rowsperstrip=10, metadata=None)
    stack = open_stack(tmp_path / "w.tif")
    read = 0
    original = tifffile.FileHandle.read_segments

    def counting(self, offsets, bytecounts, *args, **kwargs):
        nonlocal read
        read += sum(bytecounts)
        return original(self, offsets, bytecounts, *args, **kwargs)

    monkeypatch.setattr(tifffile.FileHandle, "read_segments", counting)
    np.testing.assert_array_equal(stack[:, 2000:2020, :50].values, values[:, 2000:2020, :50])
    # The rows lie in one chunk of 4 MiB of the 18 MiB.
    assert 0 < read < 0.25 * (tmp_path / "w.tif").stat().st_size


def test_real_wedge(real_data) -> None:
    path = real_data / "neutron" / "step_wedge" / "exp20s_h2o.tif"
    stack = open_stack(path)
    assert (stack.shape, stack.dtype) == ((1, 900, 1500), np.uint16)
    np.testing.assert_array_equal(stack[0].values, tifffile.imread(path))
    assert channels_of(stack) == (Channel(),)
