"""Volumes as data of a comparison."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.recipes.places import Places
from beamforge.recipes.slice_data import SimulatedPillar, SliceFiles, SliceVolume


def test_a_multi_page_volume_and_its_label_volume_are_read_slice_by_slice(tmp_path: Path) -> None:
    values = default_rng(0).normal(size=(5, 8, 9)).astype(np.float32)
    labels = default_rng(1).integers(0, 2, (5, 8, 9)).astype(np.uint8)
    labels[2] = 255
    tifffile.imwrite(tmp_path / "volume.tif", values, photometric="minisblack")
    tifffile.imwrite(tmp_path / "labels.tif", labels, photometric="minisblack")
    data = SliceVolume(kind="volume", volume="volume.tif", labels="labels.tif", classes=("matrix", "particle"))
    slices = data.open(Places(str(tmp_path), None), tmp_path)
    assert slices.annotated == (0, 1, 3, 4)
    assert slices.ordered
    np.testing.assert_array_equal(slices.window(1, 1), values[:3])
    np.testing.assert_array_equal(slices.labels(3), labels[3])
    assert data.files(Places(str(tmp_path), None)) == [str(tmp_path / "volume.tif"), str(tmp_path / "labels.tif")]


def test_grey_levels_of_several_phases_make_a_binary_task(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    tifffile.imwrite(tmp_path / "images" / "a1.tif", np.zeros((4, 6), np.uint16))
    masks = np.array([[8220, 20184, 39211, 51833, 39210, 39211]] * 4, np.uint16)
    tifffile.imwrite(tmp_path / "masks" / "a1.tif", masks)
    legend = {39211: "matrix", 8220: "particle", 20184: "particle", 51833: "particle"}
    data = SliceFiles(kind="slices", images="images", masks="masks", legend=legend, unlabelled="ignore")
    slices = data.open(Places(str(tmp_path), None), tmp_path)
    assert slices.classes.names == ("matrix", "particle")
    assert slices.labels(0)[0].tolist() == [1, 1, 0, 1, 255, 0]


def test_the_stem_slices_of_two_volumes_and_two_patches_are_told_apart(real_data: Path) -> None:
    folder = real_data / "micro" / "stem_tomo"
    if not folder.is_dir():
        pytest.skip("the STEM slices are absent")
    data = SliceFiles(
        kind="slices",
        images=str(folder / "images"),
        masks=str(folder / "masks"),
        classes=("pore", "alumina", "platinum"),
        pairing="order",
        pattern=r"al_(?P<volume>\d)(?P<z>\d{4})\.tifpatch_(?P<part>\d+)",
    )
    with pytest.raises(InputError, match="slices of the volume 1 00 between 0 and 14 are missing: 3"):
        data.open(Places(None, None), folder)
    slices = data.model_copy(update={"allow_missing": True}).open(Places(None, None), folder)
    shares = slices.class_counts().sum(axis=0) / slices.class_counts().sum()
    # The data set's own description.
    assert shares == pytest.approx([0.79, 0.20, 0.0033], rel=0.05)


def test_a_simulated_pillar_is_written_once_and_read_slice_by_slice(tmp_path: Path) -> None:
    data = SimulatedPillar(
        kind="micropillar", size=(6, 40), tomogram={"angles": 16, "margin": 1}, pillar={"stringers": 10}
    )
    assert data.prepare(tmp_path / "data", 3)
    slices = data.open(Places(None, None), tmp_path / "data")
    assert len(slices) == 6
    assert slices.classes.names == ("background", "precipitate", "inclusion")
    assert slices.image(2).shape == (1, 40, 40)
    with pytest.raises(ValueError, match="stringer"):
        SimulatedPillar(kind="micropillar", pillar={"stringer": 1})
