import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from numpy.random import default_rng
from PIL import Image

from beamforge.errors import InputError
from beamforge.io import open_stack
from beamforge.stack import as_stack
from contracts.reader import ReaderContract


class TestPng16Colour(ReaderContract):
    """Sixteen bits a colour: what many libraries make eight of."""

    name, suffix = "PNG", ".png"

    def write(self, path, values):
        path.write_bytes(imagecodecs.png_encode(np.moveaxis(values, 0, -1).copy()))

    def expected(self, values):
        return as_stack(values, [{"mode": m} for m in ("red", "green", "blue")])


class TestPng8Colour(TestPng16Colour):
    dtype = "uint8"


class TestJpegColour(ReaderContract):
    name, suffix, dtype = "JPEG", ".jpg", "uint8"

    @pytest.fixture
    def values(self, tmp_path):
        smooth = np.add.outer(np.arange(37), np.arange(53)).astype(np.uint8)
        path = tmp_path / "reference.jpg"
        Image.fromarray(np.stack([smooth, 200 - smooth, smooth // 2], -1)).save(path, quality=90)
        return np.moveaxis(imagecodecs.jpeg_decode(path.read_bytes()), -1, 0)

    def write(self, path, values):
        path.write_bytes((path.parent / "reference.jpg").read_bytes())


@pytest.mark.parametrize(("dtype", "high"), [("uint8", 255), ("uint16", 65535)])
def test_grey_keeps_its_bits(tmp_path, dtype, high) -> None:
    values = default_rng(0).integers(0, high, (20, 30), dtype=dtype, endpoint=True)
    (tmp_path / "g.png").write_bytes(imagecodecs.png_encode(values))
    stack = open_stack(tmp_path / "g.png")
    assert stack.dtype == dtype
    np.testing.assert_array_equal(stack[0].values, values)


def test_one_bit_is_zero_and_one(tmp_path) -> None:
    values = default_rng(0).random((20, 30)) < 0.5
    Image.fromarray(values).save(tmp_path / "b.png")
    np.testing.assert_array_equal(open_stack(tmp_path / "b.png")[0].values, values.astype(np.uint8))


def test_grey_with_alpha(tmp_path) -> None:
    values = default_rng(0).integers(0, 255, (20, 30, 2), dtype=np.uint8)
    Image.fromarray(values, "LA").save(tmp_path / "a.png")
    np.testing.assert_array_equal(open_stack(tmp_path / "a.png")[0].values, values[..., 0])


def test_a_palette_is_no_stack(tmp_path) -> None:
    picture = Image.fromarray(np.zeros((4, 5), np.uint8))
    picture.putpalette([0, 0, 0, 255, 0, 0])
    picture.save(tmp_path / "p.png")
    with pytest.raises(InputError, match=r"palette image.*open_labels"):
        open_stack(tmp_path / "p.png")


def test_a_png_bomb_is_refused_by_its_header(tmp_path) -> None:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 200_000, 200_000, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(100_000))
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(content)
    with pytest.raises(InputError, match=r"bomb.png declares 200000×200000 uint8 values, 37.3 GiB"):
        open_stack(tmp_path / "bomb.png")


def test_screen_resolution_is_no_pixel_size(tmp_path) -> None:
    picture = Image.fromarray(np.zeros((4, 5), np.uint8))
    picture.save(tmp_path / "screen.png", dpi=(96, 96))
    picture.save(tmp_path / "detector.png", dpi=(25400 / 5.5, 25400 / 5.5))
    assert "pixel_size" not in open_stack(tmp_path / "screen.png").attrs
    assert open_stack(tmp_path / "detector.png").attrs["pixel_size"] == pytest.approx(5.5, rel=1e-3)


def test_real_pictures(real_data) -> None:
    soil = real_data / "neutron" / "roots" / "DrySoil.png"
    np.testing.assert_array_equal(open_stack(soil)[0].values, np.asarray(Image.open(soil)))
    grains = next((real_data / "micro" / "tbm_grains" / "images").glob("*.png"))
    assert open_stack(grains)["mode"].values.tolist() == ["red", "green", "blue"]
