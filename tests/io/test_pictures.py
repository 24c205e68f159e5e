"""Pictures of mixed sizes and modes come to one kind, or are refused by name."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.random import default_rng
from PIL import Image
from skimage.color import rgb2gray

from beamforge.errors import InputError
from beamforge.io import open_picture, open_pictures, picture_files
from beamforge.stack import channels_of

GREY = default_rng(2).integers(0, 256, (20, 30), dtype=np.uint8)
COLOUR = default_rng(3).integers(0, 256, (16, 18, 3), dtype=np.uint8)


def mixed(folder: Path) -> Path:
    folder.mkdir()
    Image.fromarray(GREY).save(folder / "a1.png")
    Image.fromarray(COLOUR).save(folder / "a2.png")
    Image.fromarray(np.dstack([COLOUR, COLOUR[..., 0]]), "RGBA").save(folder / "a10.png")
    Image.fromarray(GREY.astype(np.uint16) * 257).save(folder / "b.png")
    return folder


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")
def test_all_modes_become_grey_shares_of_full_scale(tmp_path: Path) -> None:
    pictures = open_pictures(mixed(tmp_path / "mixed"))
    assert [Path(p.attrs["source"]).name for p in pictures] == ["a1.png", "a2.png", "a10.png", "b.png"]
    expected = [GREY / 255, rgb2gray(COLOUR), rgb2gray(COLOUR), GREY / 255]
    for picture, values in zip(pictures, expected, strict=True):
        assert picture.dtype == np.float32
        assert [channel.mode for channel in channels_of(picture)] == ["intensity"]
        # skimage has the weights of the same standard to four digits
        np.testing.assert_allclose(picture.values[0], values, atol=2e-4)


@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")
def test_all_modes_become_colour(tmp_path: Path) -> None:
    pictures = open_pictures(mixed(tmp_path / "mixed"), "rgb")
    assert all([channel.mode for channel in channels_of(p)] == ["red", "green", "blue"] for p in pictures)
    np.testing.assert_allclose(pictures[1].values, np.moveaxis(COLOUR, -1, 0) / 255, atol=1e-6)
    np.testing.assert_allclose(pictures[3].values, np.broadcast_to(GREY / 255, (3, 20, 30)), atol=1e-6)


def test_floats_stay_and_other_integers_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "float.tif", np.full((4, 5), 7.5, np.float32))
    assert (open_picture(tmp_path / "float.tif").values == 7.5).all()
    tifffile.imwrite(tmp_path / "signed.tif", np.full((4, 5), 7, np.int32))
    with pytest.raises(InputError, match=r"signed\.tif holds int32 values, whose full scale is unknown"):
        open_picture(tmp_path / "signed.tif")
    tifffile.imwrite(tmp_path / "stack.tif", np.ones((4, 8, 9), np.uint8), photometric="minisblack")
    with pytest.raises(InputError, match=r"stack\.tif has 4 channels"):
        open_picture(tmp_path / "stack.tif")


def test_files_are_found_in_folders_patterns_and_lists(tmp_path: Path) -> None:
    for name in ("x2.jpg", "x10.jpg", "x2.png"):
        Image.fromarray(GREY).save(tmp_path / name)
    with pytest.raises(InputError, match=r"several kinds of images \(2 \.jpg, 1 \.png\); choose with '.*\*\.jpg'"):
        picture_files(tmp_path)
    jpegs = picture_files(str(tmp_path / "*.jpg"))
    assert [file.name for file in jpegs] == ["x2.jpg", "x10.jpg"]
    assert picture_files([tmp_path / "x2.png", str(tmp_path / "*.jpg")]) == [tmp_path / "x2.png", *jpegs]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty is a folder without images"):
        picture_files(tmp_path / "empty")
    with pytest.raises(InputError, match=r"no such image, folder or pattern"):
        picture_files(tmp_path / "*.tif")
    with pytest.raises(InputError, match="an empty list of images"):
        picture_files([])
