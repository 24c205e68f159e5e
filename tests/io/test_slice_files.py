"""Folders of slices and masks."""

import numpy as np
import pytest
import tifffile
from numpy.random import default_rng
from PIL import Image

from beamforge.errors import InputError
from beamforge.io.slice_files import open_slice_files

NAMES = ["pore", "oxide", "metal"]


def write(folder, numbers=range(6), masks=None, size=(12, 9), ending="", start="slice_"):
    """Slices whose value is their number, masks whose classes are drawn."""
    images, labels = folder / "images", folder / "masks"
    images.mkdir()
    labels.mkdir()
    for number in numbers:
        tifffile.imwrite(images / f"{start}{number:03}.tif", np.full(size, 40000 + number, np.uint16))
    for number in numbers if masks is None else masks:
        drawn = default_rng(number).integers(0, 3, size).astype(np.uint8)
        tifffile.imwrite(labels / f"{start}{number:03}{ending}.tif", drawn)
    return images, labels


def test_images_and_masks_belong_together_by_name_whatever_the_order(tmp_path) -> None:
    images, masks = write(tmp_path, ending="_mask")
    slices = open_slice_files(images, masks, classes=NAMES)
    assert [one.z for one in slices.slices] == list(range(6))
    for number in range(6):
        assert (slices.image(number) == 40000 + number).all()
        assert slices.image(number).dtype == np.float32
        np.testing.assert_array_equal(slices.labels(number), default_rng(number).integers(0, 3, (12, 9)))


def test_neighbours_become_channels_and_repeat_at_ends_and_gaps(tmp_path) -> None:
    images, masks = write(tmp_path, numbers=[0, 1, 2, 4, 5, 6, 7])
    slices = open_slice_files(images, masks, classes=NAMES, allow_missing=True)

    def values(number, reach):
        return (slices.window(number, reach)[:, 0, 0] - 40000).tolist()

    assert values(1, 1) == [0, 1, 2]
    assert values(0, 2) == [0, 0, 0, 1, 2]
    assert values(2, 2) == [0, 1, 2, 2, 2]  # slice 3 is missing
    assert values(3, 1) == [4, 4, 5]
    assert [channel.numbers["slice"] for channel in slices.window_channels(1)] == [-1.0, 0.0, 1.0]


def test_volumes_and_parts_are_read_off_the_names_and_have_no_common_neighbours(tmp_path) -> None:
    images, masks = (tmp_path / name for name in ("images", "masks"))
    for folder in (images, masks):
        folder.mkdir()
        for volume, z, part in np.ndindex(2, 3, 2):
            value = 1 if folder == masks else 100 * volume + 10 * z + part
            tifffile.imwrite(folder / f"al_{volume}{z:04}.patch_{part}.tif", np.full((4, 4), value, np.uint8))
    with pytest.raises(InputError, match="are both slice 0; tell them apart"):
        open_slice_files(images, masks, classes=NAMES, pattern=r"al_(?P<volume>\d)(?P<z>\d{4})")
    pattern = r"al_(?P<volume>\d)(?P<z>\d{4})\.patch_(?P<part>\d)"
    slices = open_slice_files(images, masks, classes=NAMES, pattern=pattern)
    last_of_first = next(i for i, one in enumerate(slices.slices) if (one.volume, one.part, one.z) == ("0", "0", 2))
    assert slices.window(last_of_first, 1)[:, 0, 0].tolist() == [10, 20, 20]


def test_sparse_masks_leave_the_other_slices_as_neighbours(tmp_path) -> None:
    images, masks = write(tmp_path, masks=[1, 4])
    with pytest.raises(InputError, match=r"4 of 6 images have no mask: slice_000.tif, slice_002.tif"):
        open_slice_files(images, masks, classes=NAMES)
    slices = open_slice_files(images, masks, classes=NAMES, sparse=True)
    assert slices.annotated == (1, 4)
    assert (slices.window(4, 1)[:, 0, 0] - 40000).tolist() == [3, 4, 5]


def test_colours_become_classes_and_grey_ones_the_rest(tmp_path) -> None:
    images, masks = write(tmp_path, numbers=[0])
    colours = np.zeros((12, 9, 3), np.uint8) + 77
    colours[:2], colours[2:5] = (0, 0, 255), (255, 0, 0)
    (masks / "slice_000.tif").unlink()
    Image.fromarray(colours).save(masks / "slice_000.png")
    with pytest.raises(InputError, match="the classes are not declared"):
        open_slice_files(images, masks)
    legend = {"#0000ff": "secondary", "#ff0000": "tertiary"}
    with pytest.raises(InputError, match="#4d4d4d"):
        open_slice_files(images, masks, legend=legend)
    slices = open_slice_files(images, masks, legend=legend, unlabelled="matrix")
    assert slices.classes.names == ("matrix", "secondary", "tertiary")
    np.testing.assert_array_equal(slices.labels(0)[:, 0], [1] * 2 + [2] * 3 + [0] * 7)


def test_missing_slices_are_listed(tmp_path) -> None:
    images, masks = write(tmp_path, numbers=[0, 1, 2, 5, 6])
    with pytest.raises(InputError, match="2 slices between 0 and 6 are missing: 3, 4; add them, or set allow_missing"):
        open_slice_files(images, masks, classes=NAMES)
    assert len(open_slice_files(images, masks, classes=NAMES, ordered=False)) == 5


def test_an_undeclared_value_names_the_file(tmp_path) -> None:
    images, masks = write(tmp_path)
    slices = open_slice_files(images, masks, classes=NAMES)
    tifffile.imwrite(masks / "slice_004.tif", np.full((12, 9), 7, np.uint8))
    with pytest.raises(InputError, match=r"slice_004.tif holds the class numbers \[7\]"):
        slices.labels(4)


def test_a_mask_of_another_size_and_one_without_an_image_are_refused(tmp_path) -> None:
    images, masks = write(tmp_path)
    tifffile.imwrite(masks / "slice_003.tif", np.zeros((5, 5), np.uint8))
    slices = open_slice_files(images, masks, classes=NAMES)
    with pytest.raises(InputError, match=r"slice_003\.tif are 5×5 but the slice is 12×9"):
        slices.labels(3)
    tifffile.imwrite(masks / "other.tif", np.zeros((5, 5), np.uint8))
    with pytest.raises(InputError, match=r"other\.tif is named like none of the 6 images"):
        open_slice_files(images, masks, classes=NAMES)
    with pytest.raises(InputError, match=r"6 images in .* but 7 masks"):
        open_slice_files(images, masks, classes=NAMES, pairing="order")


def test_no_more_is_held_in_memory_than_allowed(tmp_path) -> None:
    images, masks = write(tmp_path, numbers=range(20))
    one = 12 * 9 * 4
    slices = open_slice_files(images, masks, classes=NAMES, cache_bytes=3 * one)
    for number in range(20):
        slices.image(number)
        assert slices._cache._held <= 3 * one
    assert (slices.image(0) == 40000).all()
