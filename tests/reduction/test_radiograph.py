from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.reduction import Region, transmission
from beamforge.stack import Channel, channels_of

DARK = np.full((40, 50), 100, np.uint16)
OPEN = np.full((40, 50), 1100, np.uint16)


def half_shaded(factor: float = 1.0) -> np.ndarray:
    """A sample of transmission .5 in the right half, at a dose of `factor`."""
    image = np.full((40, 50), 100 + round(1000 * factor), np.uint16)
    image[:, 25:] = 100 + round(500 * factor)
    return image


def test_transmission_of_a_known_sample() -> None:
    stack = transmission(half_shaded(), OPEN, DARK)
    assert channels_of(stack) == (Channel(mode="transmission"),)
    np.testing.assert_allclose(stack.values[0, :, :25], 1.0)
    np.testing.assert_allclose(stack.values[0, :, 25:], 0.5)
    assert set(stack.attrs["report"].values()) == {0}


def test_the_dose_region_takes_fluctuations_out() -> None:
    region = Region(top=5, left=2, height=30, width=20)
    stack = transmission(half_shaded(0.7), OPEN, DARK, dose_region=region)
    np.testing.assert_allclose(stack.values[0, 0, [0, 49]], [1.0, 0.5], rtol=1e-6)


def test_white_spots_do_not_move_the_dose() -> None:
    rng = default_rng(0)
    spotted = half_shaded()
    spotted[rng.random(spotted.shape) < 0.03] = 9000
    stack = transmission(spotted, OPEN, DARK, dose_region=Region(top=0, left=0, height=40, width=25))
    assert np.median(stack.values[0, :, :25]) == pytest.approx(1.0, abs=1e-3)


def test_repeats_count_by_their_median() -> None:
    repeats = np.stack([half_shaded(), half_shaded(), half_shaded()])
    repeats[1, 3, 3] = 60_000
    assert transmission(repeats, OPEN, DARK).values[0, 3, 3] == pytest.approx(1.0)
    assert transmission(repeats[:2], OPEN, DARK).values[0, 3, 3] == pytest.approx(1.0)


def test_everything_that_is_not_as_it_should_be_is_counted() -> None:
    sample, flat = half_shaded(), OPEN.copy()
    sample[0, 0] = 65535
    sample[1, :4] = 90
    sample[2, :2] = 1500
    flat[3, :5] = 100
    stack = transmission(sample, flat, DARK, limits=(0.0, 1.2))
    assert stack.attrs["report"] == {
        "invalid": 6,
        "open_beam_not_positive": 5,
        "sample_not_positive": 4,
        "saturated": 1,
        "below_limit": 4,
        "above_limit": 2,
    }
    assert np.isnan(stack.values[0, 0, 0])
    assert np.isnan(stack.values[0, 3, :5]).all()
    assert (stack.values[0, 1, :4] == 0.0).all()
    assert (stack.values[0, 2, :2] == np.float32(1.2)).all()


def test_an_opaque_sample_is_no_error() -> None:
    stack = transmission(DARK, OPEN, DARK)
    assert (stack.values == 0.0).all()
    assert stack.attrs["report"]["sample_not_positive"] == DARK.size


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: transmission(half_shaded(), OPEN[:30], DARK[:30]), "open beam is 30×50 but sample is 40×50"),
        (lambda: transmission(half_shaded(), OPEN, DARK[:, :9]), "dark current is 40×9 but open beam is 40×50"),
        (lambda: transmission(half_shaded(), DARK, OPEN), "were the files swapped"),
        (lambda: transmission(half_shaded(), np.zeros((40, 50))), "not positive anywhere"),
        (lambda: transmission(half_shaded(), OPEN, DARK, limits=(1, 0)), "a lower and a higher"),
        (
            lambda: transmission(half_shaded(), OPEN, DARK, dose_region=Region(top=0, left=40, height=5, width=20)),
            "column 60, but the frames are 40×50",
        ),
        (
            lambda: transmission(DARK, OPEN, DARK, dose_region=Region(top=0, left=0, height=5, width=20)),
            "choose a region of open beam",
        ),
        (lambda: transmission(np.zeros((2, 0)), OPEN), r"\(2, 0\)"),
        (lambda: transmission(np.full((40, 50), "a"), OPEN), "expected numbers"),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()


def test_water_wedge_has_the_known_attenuation(real_data: Path) -> None:
    # Water attenuates by 3.3 /cm where it is 0.5 to 3 mm thick, apparently less behind 5 mm because of scatter.
    folder = real_data / "neutron" / "step_wedge"
    h2o, empty, dark = (tifffile.imread(folder / f"exp60s_{name}.tif") for name in ("h2o", "empty", "dc"))
    labels = tifffile.imread(folder / "labels_water_steps.tif")
    ratio = transmission(h2o, empty, dark).values[0]
    thickness = 0.05 * np.arange(1, 7)
    medians = np.array([np.nanmedian(ratio[labels == step]) for step in range(1, 7)])
    assert np.polyfit(thickness, -np.log(medians), 1)[0] == pytest.approx(3.3, abs=0.25)
