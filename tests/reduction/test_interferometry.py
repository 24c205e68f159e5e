import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.reduction import FringeMeasurement, PhaseScan, Region, invalid_pixels, reduce_fringes, reduce_series
from beamforge.stack import channels_of

STEPS = 2 * np.pi * np.arange(5) / 5
SIZE = (48, 64)
ABSORBED, SCATTERED, SHIFT, DARK = 0.6, 0.35, 0.8, 200.0
OPEN_AREA = Region(top=2, left=2, height=40, width=16)


def measurement(
    steps: np.ndarray = STEPS, dose: float = 1.0, doses: np.ndarray | None = None, noise: bool = False
) -> FringeMeasurement:
    """A sample in the right half: transmission .6, DF .35, phase .8 rad; the beam and its visibility vary."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    h0 = 5000.0 * np.exp(-(((x - 30) / 60.0) ** 2))
    phase = 0.35 * x + 0.05 * y
    visibility = 0.4 - 0.1 * y / SIZE[0]
    inside = x >= 32
    ratio, reduction = np.where(inside, ABSORBED, 1.0), np.where(inside, np.exp(-SCATTERED), 1.0)

    def frames(scale, transmission, loss, shift):
        waves = np.cos(np.asarray(steps)[:, None, None] - phase - shift)
        expected = scale * h0 * transmission * (1.0 + visibility * loss * waves)
        expected = expected if doses is None else expected * doses[:, None, None]
        return (default_rng(1).poisson(expected) if noise else expected) + DARK

    return FringeMeasurement(
        sample=PhaseScan(frames(dose, ratio, reduction, SHIFT * inside), steps, doses),
        open_beam=PhaseScan(frames(1.0, 1.0, 1.0, 0.0), steps, doses),
        dark=np.full(SIZE, DARK),
    )


def test_a_known_sample_is_recovered() -> None:
    stack = reduce_fringes(
        measurement(dose=0.8),
        modes=("H0", "H1", "DF", "phase"),
        dose_region=OPEN_AREA,
        autocorrelation_length=120.0,
    )
    assert [c.label for c in channels_of(stack)] == ["H0 120 nm", "H1 120 nm", "DF 120 nm", "phase 120 nm"]
    inside, outside = stack.values[:, :, 32:], stack.values[:, :, :32]
    expected = [ABSORBED, ABSORBED * np.exp(-SCATTERED), SCATTERED, SHIFT]
    for image, value in zip(inside, expected, strict=True):
        np.testing.assert_allclose(image, value, atol=2e-4)
    for image, value in zip(outside, [1.0, 1.0, 0.0, 0.0], strict=True):
        np.testing.assert_allclose(image, value, atol=2e-4)
    assert stack.attrs["report"]["invalid"] == {"H0": 0, "H1": 0, "DF": 0, "phase": 0}


def test_the_monitor_takes_doses_out() -> None:
    doses = np.array([1.0, 0.9, 1.2, 1.05, 0.97])
    with_monitor = reduce_fringes(measurement(doses=doses)).values
    np.testing.assert_allclose(with_monitor, reduce_fringes(measurement()).values, atol=2e-4)


def test_unknown_steps_give_the_same_result_as_known_ones() -> None:
    steps = STEPS + np.array([0.0, 0.3, -0.2, 0.1, 0.25])
    known = measurement(steps, noise=True)
    unknown = FringeMeasurement(PhaseScan(known.sample.frames), PhaseScan(known.open_beam.frames), known.dark)
    expected, found = reduce_fringes(known).values, reduce_fringes(unknown).values
    # Poisson noise of DF is about .03 here; the estimated steps must add little to it.
    assert np.abs(found[2] - expected[2]).mean() < 0.006
    assert np.abs(found[0] - expected[0]).mean() < 0.002


def test_without_an_open_beam_the_unit_of_the_frames_stays() -> None:
    whole = measurement()
    stack = reduce_fringes(FringeMeasurement(whole.open_beam, None, whole.dark))
    assert stack.values[0, 0, 30] == pytest.approx(5000.0, rel=1e-4)
    assert stack.values[2, 0, 30] == pytest.approx(-np.log(0.4), rel=1e-4)


def test_clipped_and_dead_pixels_are_marked_and_counted() -> None:
    whole = measurement()
    sample = np.rint(whole.sample.frames).astype(np.uint16)
    flat = np.rint(whole.open_beam.frames).astype(np.uint16)
    sample[2, 5, 5] = 65535
    flat[:, 7, 7] = 0
    sample[:, 9, 9] = 0
    stack = reduce_fringes(FringeMeasurement(PhaseScan(sample, STEPS), PhaseScan(flat, STEPS), whole.dark))
    h0, h1, df = np.isnan(stack.values)
    assert h0[5, 5]
    assert h0[7, 7]
    assert df[9, 9]
    assert not h0[9, 9]
    assert h0.sum() == h1.sum() == 2
    assert df.sum() == 3
    report = stack.attrs["report"]
    assert report["invalid"] == {"H0": 2, "H1": 2, "DF": 3}
    assert (report["saturated"], report["h0_not_positive"], report["open_beam_not_positive"]) == (1, 1, 1)


def test_a_series_is_lazy_and_holds_what_each_length_gives() -> None:
    loaded = []

    def load(position: int) -> FringeMeasurement:
        loaded.append(position)
        return measurement(dose=1.0 + position)

    stack = reduce_series([50.0, 100.0, 200.0], load, SIZE, modes=("DF", "H0"), pixel_size=51.0)
    assert not loaded
    assert stack.chunks[0] == (2, 2, 2)
    assert [c.label for c in channels_of(stack)][2:4] == ["DF 100 nm", "H0 100 nm"]
    alone = reduce_fringes(measurement(dose=2.0), modes=("DF", "H0")).values
    np.testing.assert_array_equal(stack[2:4].values, alone)
    assert loaded == [1]
    np.testing.assert_array_equal(invalid_pixels(stack), np.zeros(6))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: reduce_fringes(m, modes=("H0", "DFI")), "'DFI'"),
        (lambda m: reduce_fringes(m, modes=()), "one or more"),
        (
            lambda m: reduce_fringes(FringeMeasurement(m.sample, PhaseScan(np.ones((5, 8, 8)), STEPS))),
            "open beam is 8×8 but the sample is 48×64",
        ),
        (lambda m: reduce_fringes(FringeMeasurement(m.sample, m.open_beam, np.full(SIZE, 9e4))), "files swapped"),
        (lambda m: reduce_fringes(FringeMeasurement(PhaseScan(-m.sample.frames, STEPS))), "H0 of the sample"),
        (lambda m: reduce_fringes(FringeMeasurement(m.sample), dose_region=OPEN_AREA), "give both or neither"),
        (
            lambda m: reduce_fringes(FringeMeasurement(PhaseScan(m.sample.frames, STEPS, [1, 1, 0, 1, 1]))),
            "monitor of the sample",
        ),
        (lambda m: reduce_series([], lambda _: m, SIZE), "no autocorrelation length"),
        (lambda m: reduce_series([9.0], lambda _: m, (8, 8)).compute(), "the frames of 9 nm"),
    ],
)
def test_bad_input_is_named(call, words: str) -> None:
    with pytest.raises(InputError, match=words):
        call(measurement())
