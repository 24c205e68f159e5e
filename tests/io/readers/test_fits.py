import numpy as np
import pytest
from astropy.io import fits
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.io import inspect_file, open_stack
from beamforge.stack import as_stack
from contracts.reader import ReaderContract


class TestFitsUnsigned(ReaderContract):
    """16-bit camera counts are stored as signed numbers with an offset (BZERO) and must come back unsigned."""

    name, suffix = "FITS", ".fits"

    def write(self, path, values):
        header = fits.Header({"BUNIT": "adu", "CDELT1": -0.0137, "CUNIT1": "mm", "CDELT2": 0.0137, "CUNIT2": "mm"})
        fits.writeto(path, values, header)

    def expected(self, values):
        return as_stack(values, pixel_size=0.0137, pixel_size_unit="mm", units="adu")


class TestFitsFloat(ReaderContract):
    name, suffix, dtype = "FITS", ".fit", "float32"

    def write(self, path, values):
        fits.writeto(path, values)


class TestFitsExtensions(ReaderContract):
    name, suffix, dtype = "FITS", ".fits", "int32"

    def write(self, path, values):
        images = [fits.ImageHDU(v, name=n) for v, n in zip(values, ("H0", "H1", "DF"), strict=True)]
        fits.HDUList([fits.PrimaryHDU(), *images]).writeto(path)

    def expected(self, values):
        return as_stack(values, [{"mode": m} for m in ("h0", "h1", "df")])


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_scaled_values_are_what_astropy_gives(tmp_path, scale) -> None:
    stored = default_rng(0).integers(-100, 100, (20, 30)).astype(np.int16)
    hdu = fits.PrimaryHDU(stored * scale + 3.0)
    hdu.scale("int16", bscale=scale, bzero=3.0)
    hdu.writeto(tmp_path / "s.fits")
    stack = open_stack(tmp_path / "s.fits")
    reference = fits.getdata(tmp_path / "s.fits")
    assert stack.dtype == reference.dtype
    np.testing.assert_array_equal(stack[0].values, reference)
    np.testing.assert_allclose(stack[0, 3:9, ::2].values, stored[3:9, ::2] * scale + 3.0)


def test_blank_pixels_become_nan(tmp_path) -> None:
    stored = default_rng(0).integers(0, 100, (20, 30)).astype(np.int16)
    stored[4, 5] = -999
    hdu = fits.PrimaryHDU(stored)
    hdu.header["BLANK"] = -999
    hdu.writeto(tmp_path / "b.fits")
    values = open_stack(tmp_path / "b.fits")[0].values
    assert values.dtype.kind == "f"
    assert np.isnan(values[4, 5])
    assert np.isnan(values).sum() == 1


def test_compressed_images(tmp_path) -> None:
    stored = default_rng(0).integers(0, 1000, (50, 60)).astype(np.int32)
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(stored)]).writeto(tmp_path / "c.fits")
    stack = open_stack(tmp_path / "c.fits")
    np.testing.assert_array_equal(stack[0].values, stored)
    np.testing.assert_array_equal(stack[0, 10:20, 5].values, stored[10:20, 5])


def test_images_that_differ_must_be_chosen(tmp_path) -> None:
    first, second = np.ones((4, 5), np.float32), np.zeros((6, 7), np.uint8)
    fits.HDUList([fits.PrimaryHDU(first), fits.ImageHDU(second, name="MASK")]).writeto(tmp_path / "m.fits")
    with pytest.raises(InputError, match="differ, choose one with dataset=: 0 PRIMARY: 4×5 float32; 1 MASK: 6×7 uint8"):
        open_stack(tmp_path / "m.fits")
    assert open_stack(tmp_path / "m.fits", dataset="mask").shape == (1, 6, 7)
    assert open_stack(tmp_path / "m.fits", dataset=0).shape == (1, 4, 5)
    assert inspect_file(tmp_path / "m.fits").kind == "container"


def test_degrees_on_the_sky_are_no_pixel_size(tmp_path) -> None:
    header = fits.Header({"CDELT1": -0.01, "CUNIT1": "deg", "CDELT2": 0.01, "CUNIT2": "deg"})
    fits.writeto(tmp_path / "d.fits", np.ones((4, 5)), header)
    assert "pixel_size" not in open_stack(tmp_path / "d.fits").attrs


def test_real_time_of_flight_frame(real_data) -> None:
    path = real_data / "neutron" / "timepix_fits" / "Image019_00267.fits"
    stack = open_stack(path)
    assert (stack.shape, stack.dtype) == ((1, 512, 512), np.float32)
    # The header's own count is the check: counts are corrected for overlaps, so they agree to about a percent.
    assert float(stack.sum(dtype=np.float64)) == pytest.approx(fits.getheader(path)["N_COUNTS"], rel=0.02)
