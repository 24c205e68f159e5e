from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from beamforge.errors import InputError
from beamforge.recipes.kinds.micrographs import AnnotatedPictures
from beamforge.recipes.micrographs.pictures import Picture, parted, read_annotated, read_mask, read_pictures
from beamforge.recipes.places import Places

HERE = Places(None, None)


def lines(side=40, step=10):
    mask = np.zeros((side, side), np.uint8)
    mask[::step] = mask[:, ::step] = 255
    return mask


def save(path: Path, array, mode=None) -> Path:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(array, mode).save(path)
    return path


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    images, masks = tmp_path / "images", tmp_path / "masks"
    for name in ("a-1", "a-2", "b-1", "c-1"):
        save(images / f"{name}.png", np.full((40, 40, 3), 90, np.uint8))
        save(masks / f"{name}.png", lines())
    return images, masks


def annotated(folders, **settings):
    return AnnotatedPictures(images=str(folders[0]), masks=str(folders[1]), **settings)


def test_pictures_of_all_modes_and_sizes_become_alike(tmp_path: Path) -> None:
    save(tmp_path / "rgb.png", np.full((20, 30, 3), (10, 20, 30), np.uint8))
    save(tmp_path / "rgba.png", np.full((25, 25, 4), (10, 20, 30, 128), np.uint8))
    save(tmp_path / "grey.png", np.full((30, 20), 40, np.uint8))
    save(tmp_path / "deep.png", np.full((22, 22), 40 * 257, np.uint16))
    found = {picture.name: picture.image for picture in read_pictures(str(tmp_path), HERE, "rgb")}
    assert {image.shape[0] for image in found.values()} == {3}
    assert found["rgb.png"].shape == (3, 20, 30)
    for name in ("rgb.png", "rgba.png"):
        np.testing.assert_allclose(found[name][:, 5, 5], [10, 20, 30], rtol=1e-5)
    for name in ("grey.png", "deep.png"):
        np.testing.assert_allclose(found[name], 40, rtol=1e-5)
    grey = read_pictures(str(tmp_path), HERE, "grey")
    assert {picture.image.shape[0] for picture in grey} == {1}


def test_an_empty_folder_and_a_missing_one_are_named(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with pytest.raises(InputError, match="nothing"):
        read_pictures(str(tmp_path / "nothing"), HERE, "rgb")
    with pytest.raises(InputError, match="gone"):
        read_pictures(str(tmp_path / "gone"), HERE, "rgb")


def test_masks_are_read_whatever_their_range(tmp_path: Path) -> None:
    expected = (lines() > 0).astype(np.uint8)
    for name, mask in (("255", lines()), ("1", lines() // 255), ("soft", lines() // 2 + 20)):
        np.testing.assert_array_equal(read_mask(save(tmp_path / f"{name}.png", mask), inverted=False), expected)
    dark = save(tmp_path / "dark.png", 255 - lines())
    np.testing.assert_array_equal(read_mask(dark, inverted=True), expected)


def test_inverted_polarity_is_detected_and_named(tmp_path: Path) -> None:
    dark = save(tmp_path / "dark.png", 255 - lines())
    with pytest.raises(InputError, match=r"dark\.png.*81 %.*annotated\.inverted=true"):
        read_mask(dark, inverted=False)
    bright = save(tmp_path / "bright.png", lines())
    with pytest.raises(InputError, match=r"leave annotated\.inverted out"):
        read_mask(bright, inverted=True)


def test_a_mask_of_one_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="everywhere"):
        read_mask(save(tmp_path / "flat.png", np.zeros((9, 9), np.uint8)), inverted=False)


def test_a_picture_without_its_mask_or_of_another_size_is_named(folders) -> None:
    (folders[1] / "b-1.png").unlink()
    with pytest.raises(InputError, match="named b-1"):
        read_annotated(annotated(folders), HERE, "rgb")
    save(folders[1] / "b-1.png", lines(50))
    with pytest.raises(InputError, match=r"\(40, 40\).*\(50, 50\)"):
        read_annotated(annotated(folders), HERE, "rgb")


def test_pictures_of_one_micrograph_stay_together(folders) -> None:
    settings = annotated(folders, group="[^-]+", few=2, learn=["a", "b"])
    pictures = read_annotated(settings, HERE, "rgb")
    assert {picture.group for picture in pictures} == {"a", "b", "c"}
    few, judged = parted(pictures, settings)
    # One of each micrograph before the second of any.
    assert [picture.name for picture in few] == ["a-1.png", "b-1.png"]
    assert [picture.name for picture in judged] == ["c-1.png"]


def pictures(*groups):
    return [Picture(f"{group}.png", np.zeros((1, 4, 4), np.float32), None, group) for group in groups]


def test_by_default_every_second_micrograph_is_learnt_from() -> None:
    settings = AnnotatedPictures(images="i", masks="m", few=2)
    few, judged = parted(pictures("1", "2", "10", "11"), settings)
    assert [p.group for p in few] == ["1", "10"]
    assert [p.group for p in judged] == ["2", "11"]
    few, judged = parted(pictures("1", "2"), AnnotatedPictures(images="i", masks="m", few=0))
    assert (len(few), len(judged)) == (0, 2)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"few": 9}, "ask for fewer"),
        ({"few": 1, "learn": ["z"]}, "micrograph 'z'"),
        ({"few": 1, "learn": ["1"], "judge": ["1", "2"]}, "learnt from and judged on"),
        ({"few": 2, "learn": ["1", "2"]}, "left to judge"),
    ],
)
def test_impossible_parts_are_refused(settings, words) -> None:
    with pytest.raises(InputError, match=words):
        parted(pictures("1", "2"), AnnotatedPictures(images="i", masks="m", **settings))


def test_a_name_that_does_not_fit_the_groups_is_named(folders) -> None:
    with pytest.raises(InputError, match=r"a-1.*does not begin"):
        read_annotated(annotated(folders, group="[0-9]+"), HERE, "rgb")
