from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng
from PIL import Image

from beamforge.errors import InputError
from beamforge.io import open_annotated_pictures
from beamforge.stack import Classes

CLASSES = Classes(names=("error-free", "crack"))


def write(folder: Path, name: str, values: np.ndarray) -> None:
    folder.mkdir(exist_ok=True)
    Image.fromarray(values).save(folder / name)


def mask_of(size: tuple[int, int], marked: bool = True) -> np.ndarray:
    mask = np.zeros(size, np.uint8)
    if marked:
        mask[3:12, 4:6] = 255
        mask[3:12, 6] = 100
    return mask


def test_mixed_sizes_and_modes_come_out_alike(tmp_path) -> None:
    rng = default_rng(1)
    grey = rng.integers(0, 256, (20, 30), dtype=np.uint8)
    deep = rng.integers(0, 2**16, (25, 22), dtype=np.uint16)
    for name, values in (
        ("a.png", grey),
        ("b.png", np.stack([grey] * 3, axis=-1)),
        ("c.png", np.stack([grey] * 3 + [np.full_like(grey, 255)], axis=-1)),
        ("d.png", deep),
    ):
        write(tmp_path / "images", name, values)
        write(tmp_path / "masks", name, mask_of(values.shape[:2]))
    found = open_annotated_pictures(tmp_path / "images", CLASSES, masks="../masks/{stem}.png")
    assert [picture.path.stem for picture in found] == ["a", "b", "c", "d"]
    for picture in found[:3]:
        np.testing.assert_allclose(picture.stack.values[0], grey / 255, atol=1e-6)
    np.testing.assert_allclose(found[3].stack.values[0], deep / 65535, atol=1e-6)
    for picture in found:
        assert picture.labels.values.sum() == 18  # what is brighter than half
        assert picture.labels.attrs["class_names"] == ["error-free", "crack"]


def test_masks_may_lie_beside_the_pictures(tmp_path) -> None:
    write(tmp_path / "set", "a.png", np.full((20, 20), 90, np.uint8))
    write(tmp_path / "set", "a_mask.png", mask_of((20, 20)))
    (found,) = open_annotated_pictures(tmp_path / "set", CLASSES, masks="{stem}_mask.png")
    assert found.path.name == "a.png"
    assert found.labels.values.any()


def test_without_masks_nothing_is_marked(tmp_path) -> None:
    write(tmp_path / "free", "a.png", np.full((20, 20), 90, np.uint8))
    (found,) = open_annotated_pictures(tmp_path / "free", CLASSES)
    assert not found.labels.values.any()


@pytest.mark.parametrize("kind", ["bool", "numbers", "colour"])
def test_masks_of_other_kinds(tmp_path, kind: str) -> None:
    mask = mask_of((20, 20)) > 127
    values = {"bool": mask, "numbers": mask.astype(np.uint8), "colour": mask[..., None] * np.uint8([255, 0, 0])}[kind]
    write(tmp_path / "set", "a.jpg", np.full((20, 20), 90, np.uint8))
    write(tmp_path / "set", "a.png", values)
    (found,) = open_annotated_pictures(str(tmp_path / "set" / "*.jpg"), CLASSES, masks="{stem}.png")
    np.testing.assert_array_equal(found.labels.values == 1, mask)


def test_inverted_masks_are_named_and_can_be_read(tmp_path) -> None:
    for name in ("a", "b"):
        write(tmp_path / "set", f"{name}.jpg", np.full((20, 20), 90, np.uint8))
        write(tmp_path / "set", f"{name}.png", 255 - mask_of((20, 20), name == "a"))
    images = str(tmp_path / "set" / "*.jpg")
    with pytest.raises(InputError, match=r"2 of 2 masks .* look inverted: .*a\.png \(96% marked\).*inverted to true"):
        open_annotated_pictures(images, CLASSES, masks="{stem}.png")
    found = open_annotated_pictures(images, CLASSES, masks="{stem}.png", inverted=True)
    assert [int(picture.labels.values.sum()) for picture in found] == [18, 0]


def test_a_single_inverted_mask_among_others_is_named(tmp_path) -> None:
    for name in ("a", "b"):
        write(tmp_path / "set", f"{name}.jpg", np.full((20, 20), 90, np.uint8))
        write(tmp_path / "set", f"{name}.png", mask_of((20, 20)) if name == "a" else 255 - mask_of((20, 20)))
    with pytest.raises(InputError, match=r"1 of 2 masks .*b\.png.*invert these files"):
        open_annotated_pictures(str(tmp_path / "set" / "*.jpg"), CLASSES, masks="{stem}.png")


def test_masks_that_do_not_fit(tmp_path) -> None:
    write(tmp_path / "set", "a.jpg", np.full((20, 20), 90, np.uint8))
    images = str(tmp_path / "set" / "*.jpg")
    with pytest.raises(InputError, match=r"1 of 1 masks are missing, such as .*a\.png"):
        open_annotated_pictures(images, CLASSES, masks="{stem}.png")
    write(tmp_path / "set", "a.png", mask_of((20, 21)))
    with pytest.raises(InputError, match=r"a\.png is 20×21 but .*a\.jpg is 20×20"):
        open_annotated_pictures(images, CLASSES, masks="{stem}.png")
    with pytest.raises(InputError, match="expected where the mask of a picture is"):
        open_annotated_pictures(images, CLASSES, masks="a.png")
    with pytest.raises(InputError, match="two classes"):
        open_annotated_pictures(images, Classes.numbered(3), masks="{stem}.png")
