from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter

from beamforge.errors import InputError
from beamforge.io import open_annotated_pictures
from beamforge.simulation import Sample, Step
from beamforge.simulation.intensities.exemplar_texture import ExemplarTexture
from beamforge.stack import Classes, as_labels, as_stack
from contracts.step import StepContract, example_sample


def textured(seed: int, size: tuple[int, int] = (90, 110), level: float = 100.0, channels: int = 1) -> np.ndarray:
    noise = default_rng(seed).standard_normal((channels, *size))
    smooth = gaussian_filter(noise, (0, 6.0, 0.7))
    return (level * (1 + 0.1 * smooth / smooth.std())).astype(np.float32)


def blank(size: tuple[int, int] = (96, 96)) -> Sample:
    return Sample(np.zeros((0, *size), np.float32), np.zeros(size, np.uint8))


def drawn(step: ExemplarTexture, seed: int, size: tuple[int, int] = (96, 96)) -> np.ndarray:
    sample = blank(size)
    return step.apply(sample, step.draw(sample, default_rng(seed)), default_rng(seed + 1)).image


class TestExemplarTextureContract(StepContract):
    examples: ClassVar[list[Step]] = [
        ExemplarTexture.fit([as_stack(textured(1)), as_stack(textured(2, (64, 70)))], patch=24, exemplars=3),
        ExemplarTexture.fit(as_stack(textured(3, channels=3)), patch=16, overlap=4, exemplars=2, mirror=(False, False)),
    ]

    def sample(self) -> Sample:
        labels = example_sample().labels
        return Sample(np.zeros((0, *labels.shape), np.float32), labels)


def correlation(image: np.ndarray, dy: int, dx: int) -> float:
    centred = image - image.mean()
    rows, columns = image.shape
    return float((centred[: rows - dy, : columns - dx] * centred[dy:, dx:]).mean() / centred.var())


def test_the_texture_has_the_spread_and_the_correlations_of_its_examples() -> None:
    images = [textured(seed, (160, 160)) for seed in range(6)]
    step = ExemplarTexture.fit([as_stack(image) for image in images], exemplars=6)
    tiles = [drawn(step, seed) for seed in range(24)]
    spread = np.mean([tile[0].std() / tile.mean() for tile in tiles])
    expected = np.mean([image[0].std() / image.mean() for image in images])
    assert spread == pytest.approx(expected, rel=0.1)
    for lag in ((4, 0), (0, 1), (0, 4)):
        found = np.mean([correlation(tile[0], *lag) for tile in tiles])
        assert found == pytest.approx(np.mean([correlation(image[0], *lag) for image in images]), abs=0.08)


def test_levels_are_those_of_the_images() -> None:
    levels = [50.0, 80.0, 200.0]
    step = ExemplarTexture.fit([as_stack(textured(s, level=level)) for s, level in enumerate(levels)])
    assert step.level.low == pytest.approx(50.0, rel=0.03)
    assert step.level.high == pytest.approx(200.0, rel=0.03)
    means = [drawn(step, seed).mean() for seed in range(60)]
    assert 45.0 < min(means) < 70.0
    assert 150.0 < max(means) < 210.0


def test_shading_survives() -> None:
    """An image twice as bright at the right makes tiles twice as bright at one side."""
    image = textured(5, (160, 160)) * np.linspace(0.67, 1.33, 160, dtype=np.float32)
    step = ExemplarTexture.fit(as_stack(image), exemplars=1)
    for seed in range(8):
        sides = drawn(step, seed)[0].mean(axis=0)[[*range(12), *range(84, 96)]].reshape(2, 12).mean(axis=1)
        assert 1.5 < sides.max() / sides.min() < 2.2


def test_cracked_images_and_the_dark_around_a_specimen_are_not_learnt() -> None:
    free, cracked = textured(1), np.full((1, 90, 110), 1000.0, np.float32)
    free[:, :, 80:] = 3.0
    mask = np.zeros((90, 110), np.uint8)
    mask[5, 5] = 1
    classes = Classes(names=("free", "crack"))
    labels = [as_labels(np.zeros((90, 110), np.uint8), classes), as_labels(mask, classes)]
    step = ExemplarTexture.fit([as_stack(free), as_stack(cracked)], labels, patch=24)
    assert 80.0 < step.level.low <= step.level.high < 120.0
    assert all(exemplar.min() > 0.4 and exemplar.max() < 1.7 for exemplar in step.exemplars)


def test_ignored_pixels_are_not_learnt() -> None:
    image = textured(1)
    image[:, 20:30, 40:50] = 5000.0
    labels = np.zeros((90, 110), np.uint8)
    labels[20:30, 40:50] = 255
    step = ExemplarTexture.fit(as_stack(image), as_labels(labels, Classes.numbered(1)), patch=16)
    assert max(exemplar.max() for exemplar in step.exemplars) < 2.0


def test_no_free_image_is_named() -> None:
    labels = as_labels(np.eye(90, dtype=np.uint8), Classes(names=("free", "crack")))
    with pytest.raises(InputError, match="none of the 2 images is free of other classes"):
        ExemplarTexture.fit([as_stack(textured(1, (90, 90)))] * 2, [labels] * 2)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "no image to learn a texture from"),
        ([textured(1), textured(2, channels=3)], "1 or 3 channels"),
        ([textured(1, (30, 90)), textured(2)], "1 of 2 images .* smaller than a patch of 40 px"),
        ([np.zeros((1, 60, 60), np.float32)], "median 0, expected positive"),
        ([np.full((1, 60, 60), np.nan, np.float32)], "median 0, expected positive"),
    ],
)
def test_images_that_cannot_be_learnt_from(images: list[np.ndarray], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ExemplarTexture.fit([as_stack(image) for image in images])


def test_damaged_settings_are_refused() -> None:
    good = ExemplarTexture.fit(as_stack(textured(1)), exemplars=2).to_dict()
    for change, message in (
        ({"overlap": 40}, "leaves nothing of patches"),
        ({"patch": 200}, "at least 200 px"),
        ({"shadings": good["shadings"][:1]}, "shadings of shape"),
        ({"exemplars": [np.full((1, 60, 60), np.nan), good["exemplars"][0]]}, "not finite"),
    ):
        with pytest.raises(InputError, match=message):
            Step.from_dict({**good, **change})


def test_magnetic_tiles(real_data) -> None:
    """Across real surfaces the spread of grey values and the streaks' correlations are kept."""
    pictures = open_annotated_pictures(
        str(real_data / "micro" / "magnetic_tile" / "MT_Free" / "exp[1-3]_*.jpg"), Classes(names=("free", "crack"))
    )
    step = ExemplarTexture.fit([picture.stack for picture in pictures], rng=default_rng(1))
    rng = default_rng(7)

    def flat(tile: np.ndarray) -> np.ndarray:
        return tile / gaussian_filter(tile, 24.0)

    def crop(image: np.ndarray) -> np.ndarray:
        y, x = (rng.integers(8, extent - 103) for extent in image.shape)
        return image[y : y + 96, x : x + 96]

    real = [flat(crop(picture.stack.values[0])) for picture in pictures for _ in range(4)]
    tiles = [flat(drawn(step, seed)[0]) for seed in range(60)]
    assert np.median([tile.std() for tile in tiles]) == pytest.approx(np.median([r.std() for r in real]), rel=0.15)
    for lag in ((8, 0), (0, 2)):
        found = np.median([correlation(tile, *lag) for tile in tiles])
        assert found == pytest.approx(np.median([correlation(r, *lag) for r in real]), abs=0.12)
