import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.simulation import Sample
from beamforge.simulation.scenes.permuted_rois import PermutedRois
from beamforge.stack import IGNORE, as_labels, as_stack
from contracts.step import StepContract


def annotated() -> tuple[xr.DataArray, xr.DataArray]:
    """A background with a hole, two rectangles and a disc."""
    labels = np.full((80, 90), IGNORE)
    labels[5:75, 5:85] = 0
    labels[10:30, 10:30] = 1
    labels[40:70, 10:40] = 2
    y, x = np.ogrid[:80, :90]
    labels[(y - 40) ** 2 + (x - 65) ** 2 < 150] = 3
    return as_stack(np.zeros((1, 80, 90), np.float32)), as_labels(labels)


class TestPermutedRoisContract(StepContract):
    examples = [
        PermutedRois.fit(*annotated(), tile=48, max_shift=6),
        PermutedRois.fit(*annotated(), tile=64, unlabelled=0),
    ]

    def sample(self) -> Sample:
        return Sample.empty()


def test_without_shift_and_permutation_the_measurement_comes_back() -> None:
    stack, labels = annotated()
    step = PermutedRois.fit(stack, labels, tile=64)
    parameters = {"classes": step.region_classes.tolist(), "shifts": [[0, 0]] * 4, "corner": [7, 11]}
    tile = step.apply(Sample.empty(), parameters, default_rng(0)).labels
    np.testing.assert_array_equal(tile, labels.values[7:71, 11:75])


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 12))
def test_regions_are_painted_as_a_pixel_by_pixel_loop_would(seed: int, max_shift: int) -> None:
    step = PermutedRois.fit(*annotated(), tile=50, max_shift=max_shift)
    parameters = step.draw(Sample.empty(), default_rng(seed))
    expected = np.full((50, 50), IGNORE)
    for number, (label, (dy, dx)) in enumerate(zip(parameters["classes"], parameters["shifts"], strict=True), start=1):
        for y, x in np.argwhere(step.regions == number) + np.array([dy, dx]) - np.array(parameters["corner"]):
            if 0 <= y < 50 and 0 <= x < 50:
                expected[y, x] = label
    assert sorted(parameters["classes"]) == [0, 1, 2, 3]
    assert np.abs(parameters["shifts"]).max() <= max_shift
    np.testing.assert_array_equal(step.apply(Sample.empty(), parameters, default_rng(0)).labels, expected)


def test_every_class_takes_every_shape() -> None:
    step = PermutedRois.fit(*annotated(), tile=40)
    seen = {tuple(step.draw(Sample.empty(), default_rng(seed))["classes"]) for seed in range(400)}
    assert len(seen) == 24


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tile": 200}, "200 px does not fit into a measurement of 80 × 90"),
        ({"least": 10_000}, "no region of at least"),
    ],
)
def test_what_cannot_be_cut_is_refused(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PermutedRois.fit(*annotated(), **options)
