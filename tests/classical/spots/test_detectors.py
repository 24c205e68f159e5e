import numpy as np
import pytest
from numpy.random import default_rng
from pydantic import ValidationError
from skimage.measure import label

from beamforge.classical.spots import MedianThreshold, RobustSpots, SpotDetector, find_spots
from beamforge.classical.spots.detectors import grown
from beamforge.physics.detector import point_spread
from beamforge.statistics.local_noise import NoiseModel


def radiograph(seed: int, side: int = 160) -> np.ndarray:
    """Counts behind a sample that is three times as thick on the right, with correlated noise."""
    rng = default_rng(seed)
    signal = np.where(np.arange(side) < side // 2, 3000.0, 300.0) * np.ones((side, 1))
    light = point_spread(rng.poisson(signal / 5.0).astype(np.float32), 0.54)
    return (300.0 + 5.0 * light + 11.0 * rng.standard_normal((side, side))).astype(np.float32)


def test_the_lectures_baseline_is_a_threshold_on_the_distance_to_the_median() -> None:
    image = default_rng(0).normal(1000.0, 300.0, (20, 24)).astype(np.float32)
    expected = np.zeros(image.shape, bool)
    for row in range(1, 19):
        for column in range(1, 23):
            median = np.median(image[row - 1 : row + 2, column - 1 : column + 2])
            expected[row, column] = abs(image[row, column] - median) > 400.0
    marked = find_spots(image, MedianThreshold(threshold=400.0))
    np.testing.assert_array_equal(marked[1:-1, 1:-1], expected[1:-1, 1:-1])
    one_sided = find_spots(image, MedianThreshold(threshold=400.0, both_sides=False))
    assert 0 < one_sided.sum() < marked.sum()


def test_spots_of_nine_sigma_are_found_in_bright_and_dark_without_false_alarms() -> None:
    image = radiograph(1, side=320)
    noise = NoiseModel.fit([image])
    rows, columns = (grid.ravel() for grid in np.meshgrid(np.arange(10, 310, 15), np.arange(10, 310, 15)))
    away_from_the_edge = np.abs(columns - 160) > 12
    rows, columns = rows[away_from_the_edge], columns[away_from_the_edge]
    spotted = image.copy()
    level = np.where(columns < 160, 3300.0, 600.0).astype(np.float32)
    spotted[rows, columns] += 9.0 * noise.deviation(level)
    marked = find_spots(spotted, RobustSpots())
    assert marked[rows, columns].mean() > 0.98
    assert not find_spots(image, RobustSpots()).any()


def test_a_skirt_belongs_to_its_spot_but_faint_pixels_alone_do_not() -> None:
    image = default_rng(2).normal(0.0, 1.0, (80, 80)).astype(np.float32)
    image[40, 40:44] = [30.0, 20.0, 5.0, 5.0]
    image[10, 10] = 4.5
    marked = find_spots(image, RobustSpots(high=8.0, low=3.5))
    assert marked[40, 40:44].all()
    assert not marked[10, 10]


def test_growing_is_hysteresis() -> None:
    values = default_rng(3).normal(size=(60, 60))
    low, high = 0.8, 2.0
    regions = label(values > low, connectivity=2)
    expected = np.isin(regions, np.setdiff1d(regions[values > high], [0]))
    np.testing.assert_array_equal(grown(values > high, values > low, 500), expected)
    assert grown(values > high, values > low, 1).sum() < expected.sum()


@pytest.mark.parametrize("detector", [MedianThreshold(threshold=100.0), RobustSpots(high=4.0, low=2.0)])
def test_a_piece_with_its_halo_gives_what_the_whole_gives(detector: SpotDetector) -> None:
    image = radiograph(4)
    image[default_rng(5).random(image.shape) < 0.005] += 800.0
    noise = NoiseModel.fit([image])
    whole = detector.detect(image, noise)
    top, bottom, halo = 60, 100, detector.halo
    piece = detector.detect(image[top - halo : bottom + halo], noise)
    assert whole[top:bottom].any()
    np.testing.assert_array_equal(piece[halo : halo + bottom - top], whole[top:bottom])


def test_pixels_that_are_not_finite_are_no_spots() -> None:
    image = radiograph(6)
    image[30, 30] = np.inf
    image[50:60, 50:60] = np.nan
    for detector in (MedianThreshold(threshold=100.0), RobustSpots(high=3.0, low=2.0)):
        assert not find_spots(image, detector)[~np.isfinite(image)].any()


def test_a_skirt_brighter_than_its_spot_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"low is 7 and high 6"):
        RobustSpots(high=6.0, low=7.0)
