import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.classical.spots import PixelSpots, find_spots
from beamforge.errors import InputError


def annotated(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = default_rng(seed)
    image = rng.normal(1000.0, 30.0, (60, 60)).astype(np.float32)
    spots = rng.random(image.shape) < 0.02
    image[spots] += rng.uniform(200.0, 2000.0, int(spots.sum())).astype(np.float32)
    return image, spots


@pytest.mark.parametrize("method", ["nearest", "forest"])
def test_spots_of_another_image_are_found(method: str) -> None:
    detector = PixelSpots.fit(*annotated(0), method, default_rng(1))
    image, spots = annotated(2)
    marked = find_spots(image, detector)
    assert (marked & spots).sum() > 0.9 * spots.sum()
    assert (marked & ~spots).sum() < 0.1 * spots.sum()


def test_the_nearest_neighbour_knows_what_it_has_learnt_by_heart() -> None:
    image, spots = annotated(3)
    np.testing.assert_array_equal(find_spots(image, PixelSpots.fit(image, spots, "nearest", default_rng(1))), spots)


def test_an_annotation_without_spots_or_of_another_size_is_refused() -> None:
    image, spots = annotated(4)
    with pytest.raises(InputError, match="marks no spot"):
        PixelSpots.fit(image, np.zeros_like(spots), "nearest", default_rng(1))
    with pytest.raises(InputError, match="mask of its spots"):
        PixelSpots.fit(image, spots[1:], "nearest", default_rng(1))
