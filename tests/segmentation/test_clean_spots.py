from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter

from beamforge.classical.diffraction import LaplacianSpots
from beamforge.classical.diffraction.classifier import LaplacianClassifier
from beamforge.errors import InputError
from beamforge.io import open_stack, save_stack
from beamforge.recipes import classical_verbs
from beamforge.reduction.projections import contrast, rolling_background
from beamforge.segmentation.clean_spots import NetworkSpotFinder, clean_spots
from beamforge.stack import Channel, Classes, as_stack


def projections(count: int = 13, size: int = 96):
    rng = default_rng(8)
    images, truth = [], []
    for _ in range(count):
        spots = np.zeros((size, size))
        spots[tuple(rng.integers(6, size - 6, (2, 6)))] = 20000.0
        spots = gaussian_filter(spots, 1.5)
        images.append(rng.poisson(300.0 + spots))
        truth.append(spots > 250.0)
    return as_stack(np.array(images, np.uint16)), np.array(truth)


ROUTINE = LaplacianSpots(background=80.0, sigma=1.5, percent=0.1, minimum=4)


def read(path: Path) -> np.ndarray:
    return np.asarray(open_stack(path).values) if path.suffix == ".tif" else np.asarray(open_stack(path / "0").values)


def test_spots_are_kept_and_the_background_is_zero(tmp_path: Path) -> None:
    stack, truth = projections()
    result = clean_spots(ROUTINE, stack, tmp_path / "spots.tif", progress=False)
    found = read(tmp_path / "spots.tif")
    assert (found.shape, found.dtype, result.projections) == (truth.shape, np.uint8, 13)
    assert set(np.unique(found)) == {0, 1}
    assert (found[truth] == 1).mean() > 0.99
    assert found[~truth].mean() < 0.01
    assert result.share == pytest.approx(found.mean())


def test_every_projection_is_what_the_routine_gives_above_its_median(tmp_path: Path) -> None:
    stack, _ = projections()
    clean_spots(ROUTINE, stack, tmp_path / "spots.tif", window=5, progress=False)
    expected = [ROUTINE.mask(image - median) for image, median in rolling_background(stack, 5)]
    np.testing.assert_array_equal(read(tmp_path / "spots.tif"), np.array(expected))


def test_a_predictor_sees_the_contrast_whatever_the_tiles() -> None:
    stack, _ = projections()
    image, median = next(rolling_background(stack, 5))
    classifier = LaplacianClassifier(routine=LaplacianSpots(background=4.0, sigma=1.5, minimum=4))
    whole = classifier.routine.mask(contrast(image - median))
    for tile in (None, 512):
        finder = NetworkSpotFinder(classifier, minimum=1, tile=tile)
        np.testing.assert_array_equal(finder.mask(image - median), whole)


class Smoothing:
    """A network of one convolution."""

    channels = (Channel(mode="diffraction contrast"),)
    classes = Classes(names=("background", "spot"))
    halo, multiple = 2, 1

    def log_probabilities(self, images: np.ndarray) -> np.ndarray:
        kernel = torch.full((1, 1, 3, 3), 0.1)
        smooth = torch.nn.functional.conv2d(torch.as_tensor(images), kernel, padding=1).float()
        return torch.cat([-smooth, smooth], dim=1).log_softmax(dim=1).numpy()


def test_half_precision_gives_nearly_the_same_probabilities() -> None:
    stack, _ = projections()
    image, background = next(rolling_background(stack, 5))
    exact, half = (
        NetworkSpotFinder(Smoothing(), precision=precision).probabilities(image - background)
        for precision in ("fp32", "bf16")
    )
    # bfloat16 has 8 bits: 0.4 % of a sum; where sums are small probabilities hardly move, where large they are 0 or 1.
    assert 0.0 < np.abs(half - exact).max() < 0.02
    assert np.mean((half > 0.5) != (exact > 0.5)) < 0.01


def test_the_verb_works_on_files(tmp_path: Path) -> None:
    stack, truth = projections()
    save_stack(tmp_path / "raw.tif", stack)
    routine = {"background": 80.0, "sigma": 1.5, "percent": 0.1, "minimum": 4}
    result = classical_verbs.clean_spots(tmp_path / "raw.tif", tmp_path / "spots.tif", routine=routine)
    assert result.path == tmp_path / "spots.tif"
    assert (read(tmp_path / "spots.tif")[truth] == 1).mean() > 0.99


def test_bad_input_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    stack, _ = projections()
    dark = stack.copy()
    dark[7] = 0
    with pytest.raises(InputError, match=r"projection 7 \(counted from 0\) is zero everywhere"):
        clean_spots(ROUTINE, dark, tmp_path / "spots.tif", progress=False)
    with pytest.raises(InputError, match="13 projections, too few for a rolling median over 21"):
        clean_spots(ROUTINE, stack, tmp_path / "spots.tif", window=21, progress=False)
    with pytest.raises(InputError, match="a model and settings"):
        classical_verbs.clean_spots("raw.tif", "spots.tif", model="model", routine={"sigma": 2.0})
    with pytest.raises(InputError, match="sigma"):
        classical_verbs.clean_spots("raw.tif", "spots.tif", routine={"sigma": -2.0})
    assert not list(tmp_path.iterdir())


def test_a_model_of_something_else_is_refused() -> None:
    other = LaplacianClassifier(channels=(Channel(mode="intensity"),), classes=Classes(names=("a", "b")))
    with pytest.raises(InputError, match="diffraction contrast"):
        NetworkSpotFinder(other)
