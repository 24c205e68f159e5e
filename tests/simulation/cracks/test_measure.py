from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.simulation.cracks.measure import PROFILE, measure_cracks, measure_images, skeleton_path
from beamforge.simulation.cracks.polyline import Polyline, distance_and_opening
from beamforge.stack import Classes, as_labels, as_stack

CLASSES = Classes(names=("free", "crack"))


def pictured(
    joints: list[list[float]], opening: float, depth: float, margin: float = 1.0, noise: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """A crack with a Gaussian profile of known width on an even surface, and its mask."""
    crack = Polyline(np.array(joints), np.full(len(joints), opening))
    distance, _ = distance_and_opening([crack], (120, 100), 30.0)
    shape = 0.5 ** ((2 * distance.clip(0, 100) / opening) ** 2)
    image = 80.0 * (1 - depth * shape) * (1 + noise * default_rng(1).standard_normal((120, 100)))
    return image.astype(np.float32), distance <= opening / 2 + margin


@pytest.mark.parametrize(("opening", "depth"), [(3.0, 0.5), (5.0, 0.3), (4.0, -0.4)])
def test_opening_depth_and_margin_of_a_known_crack(opening: float, depth: float) -> None:
    image, mask = pictured([[10.0, 50.0], [100.0, 55.0]], opening, depth, margin=1.0, noise=0.02)
    (found,) = measure_cracks(image, mask)
    # Half a pixel: the profile is looked at every half pixel, the mask consists of whole ones.
    assert found.opening == pytest.approx(opening, abs=0.5)
    assert found.depth == pytest.approx(depth, rel=0.12)
    assert found.margin == pytest.approx(1.0, abs=0.6)
    near = PROFILE <= 1.5
    np.testing.assert_allclose(found.profile[near], 0.5 ** (PROFILE[near] ** 2), atol=0.08)


def test_a_crack_beside_its_mask_is_measured_where_it_is() -> None:
    image, mask = pictured([[10.0, 50.0], [100.0, 50.0]], 3.0, 0.5, margin=3.0)
    (found,) = measure_cracks(np.roll(image, 2, axis=1), mask)
    assert found.opening == pytest.approx(3.0, abs=0.5)
    assert found.depth == pytest.approx(0.5, rel=0.12)


def test_segments_and_turns_of_a_known_polyline() -> None:
    image, mask = pictured([[10.0, 20.0], [60.0, 20.0], [60.0 + 30, 20.0 + 30]], 3.0, 0.5)
    (found,) = measure_cracks(image, mask)
    # The corner is rounded by the annotation, so the turn may fall on two joints.
    assert 2 <= len(found.lengths) <= 3
    assert abs(found.turns.sum()) == pytest.approx(math.pi / 4, abs=0.12)
    assert found.lengths.sum() == pytest.approx(50.0 + 30 * math.sqrt(2), rel=0.08)
    assert abs(found.direction) == pytest.approx(math.degrees(math.atan2(30, 80)), abs=3.0)


def test_the_path_of_a_skeleton_is_its_longest() -> None:
    mask = np.zeros((60, 60), bool)
    mask[10:50, 30] = True
    mask[25, 30:36] = True
    path = skeleton_path(mask)
    assert sorted((int(path[0, 0]), int(path[-1, 0]))) == [10, 49]
    assert (path[:, 1] == 30).all()


def test_tiny_and_invisible_annotations_are_passed_over() -> None:
    image = np.full((60, 60), 50.0, np.float32)
    mask = np.zeros((60, 60), bool)
    mask[5:8, 5:8] = True
    mask[20:50, 30:34] = True
    assert list(measure_cracks(image, mask)) == []
    with pytest.raises(InputError, match="no crack to measure on 1 annotated images"):
        measure_images(as_stack(image), as_labels(mask, CLASSES))


def test_images_that_cannot_be_measured() -> None:
    image, mask = pictured([[10.0, 50.0], [100.0, 50.0]], 3.0, 0.5)
    with pytest.raises(InputError, match="3 channels"):
        measure_images(as_stack(np.stack([image] * 3)), as_labels(mask, CLASSES))
    with pytest.raises(InputError, match="2 images and 1 labels"):
        measure_images([as_stack(image)] * 2, [as_labels(mask, CLASSES)])
    with pytest.raises(InputError, match="crop or pad"):
        measure_images(as_stack(image[:-1]), as_labels(mask, CLASSES))
