import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng
from scipy.optimize import curve_fit

from beamforge.errors import InputError
from beamforge.reduction import Fringes, dark_field, estimate_steps, fit_fringes
from beamforge.reduction.phase_steps import wrapped

EQUAL = 2 * np.pi * np.arange(5) / 5


def scene(rng: np.random.Generator, size: tuple[int, int] = (60, 70)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """H0, H1 and phase that all vary over the field."""
    y, x = np.mgrid[: size[0], : size[1]]
    h0 = 1000.0 * np.exp(-(((x - 30) / 60.0) ** 2)) * (1.0 - 0.4 * (y > 30))
    h1 = h0 * 0.4 * np.exp(-(((y - 20) / 70.0) ** 2))
    return h0, h1, wrapped(rng.uniform(0.1, 0.4) * x + rng.uniform(-0.2, 0.2) * y)


def stepped(h0: np.ndarray, h1: np.ndarray, phase: np.ndarray, steps: np.ndarray) -> np.ndarray:
    return h0 + h1 * np.cos(np.asarray(steps)[:, None, None] - phase)


steps_of_any_kind = st.lists(st.floats(0.0, 2 * np.pi), min_size=3, max_size=9).filter(
    lambda s: np.linalg.cond(np.stack([np.ones(len(s)), np.sin(s), np.cos(s)], axis=1)) < 50
)


@given(steps_of_any_kind, st.integers(0, 1000))
def test_exact_fringes_are_recovered(steps: list[float], seed: int) -> None:
    h0, h1, phase = scene(default_rng(seed), (9, 11))
    fringes = fit_fringes(stepped(h0, h1, phase, np.array(steps)), steps)
    np.testing.assert_allclose(fringes.h0, h0, rtol=2e-4)
    np.testing.assert_allclose(fringes.h1, h1, rtol=2e-3)
    np.testing.assert_allclose(wrapped(fringes.phase - phase), 0.0, atol=2e-3)


def test_it_is_the_least_squares_solution() -> None:
    rng = default_rng(3)
    steps = np.array([0.0, 1.1, 2.0, 3.4, 4.0, 5.5])
    values = rng.poisson(100 + 30 * np.cos(steps - 0.7)).astype(float)

    def model(step, h0, h1, phase):
        return h0 + h1 * np.cos(step - phase)

    expected, _ = curve_fit(model, steps, values, p0=(100, 30, 0.7))
    fringes = fit_fringes(values[:, None, None], steps)
    np.testing.assert_allclose([fringes.h0[0, 0], fringes.h1[0, 0], fringes.phase[0, 0]], expected, rtol=1e-4)


def test_noise_of_h1_is_that_of_theory() -> None:
    # For K equal steps of Poisson counts N: var(H0) = N/K, var(H1) = 2N/K.
    rng = default_rng(5)
    frames = rng.poisson(np.broadcast_to(400 + 160 * np.cos(EQUAL - 1.0)[:, None, None], (5, 200, 200)))
    fringes = fit_fringes(frames, EQUAL)
    assert fringes.h0.var() == pytest.approx(400 / 5, rel=0.03)
    assert fringes.h1.var() == pytest.approx(2 * 400 / 5, rel=0.05)


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([0.0, 1.0], "2 phase steps were given for 5 frames"),
        ([0.0, 0.0, 0.0, 0.0, 0.0], "do not tell H0, H1 and phase apart"),
        ([0.0, np.nan, 1.0, 2.0, 3.0], "not finite"),
    ],
)
def test_steps_that_cannot_be_analysed_are_named(steps: list[float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        fit_fringes(np.ones((5, 4, 4)), steps)


@pytest.mark.parametrize("count", [5, 6, 8])
def test_equal_unknown_steps_are_recovered(count: int) -> None:
    rng = default_rng(count)
    steps = 2 * np.pi * np.arange(count) / count
    frames = rng.poisson(stepped(*scene(rng), steps)).astype(np.float32)
    np.testing.assert_allclose(wrapped(estimate_steps(frames, guess=steps + 0.1).steps - steps), 0.0, atol=0.02)


unequal = st.lists(st.floats(-0.35, 0.35), min_size=6, max_size=8)


@given(unequal, st.integers(0, 1000))
def test_unequal_unknown_steps_are_recovered_up_to_offset_and_sign(jitter: list[float], seed: int) -> None:
    rng = default_rng(seed)
    steps = 2 * np.pi * np.arange(len(jitter)) / len(jitter) + jitter
    frames = rng.poisson(stepped(*scene(rng), steps)).astype(np.float32)
    estimated = estimate_steps(frames)
    differences = [np.abs(wrapped(estimated.steps - sign * (steps - steps[0]))).max() for sign in (1, -1)]
    assert min(differences) < 0.03
    assert estimated.steps[0] == 0.0
    assert estimated.steps[1] >= 0.0


def test_without_noise_the_steps_are_exact() -> None:
    steps = np.array([0.0, 0.9, 2.5, 2.9, 4.4, 5.1])
    estimated = estimate_steps(stepped(*scene(default_rng(1)), steps))
    np.testing.assert_allclose(wrapped(estimated.steps), wrapped(steps), atol=1e-5)
    assert estimated.residual < 1e-4


def test_white_spots_do_not_mislead_the_steps() -> None:
    rng = default_rng(11)
    steps = np.array([0.0, 1.3, 2.4, 3.9, 5.0])
    clean = rng.poisson(stepped(*scene(rng), steps)).astype(np.float32)
    spotted = clean + 4000.0 * (rng.random(clean.shape) < 0.01)
    np.testing.assert_allclose(estimate_steps(spotted).steps, estimate_steps(clean).steps, atol=0.02)


def test_h0_h1_and_dark_field_do_not_depend_on_the_ambiguity() -> None:
    steps = np.array([0.0, 0.9, 2.5, 2.9, 4.4, 5.1])
    frames = stepped(*scene(default_rng(2)), steps)
    one, other = fit_fringes(frames, steps), fit_fringes(frames, 1.0 - steps)
    np.testing.assert_allclose(one.h0, other.h0, rtol=1e-4)
    np.testing.assert_allclose(one.h1, other.h1, rtol=1e-3)
    np.testing.assert_allclose(dark_field(one), dark_field(other), atol=1e-3)


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (lambda rng: rng.poisson(stepped(*scene(rng), EQUAL[:4])), "at least 5"),
        (lambda rng: rng.poisson(np.full((5, 50, 50), 300.0)), "no fringes"),
        (lambda rng: rng.poisson(stepped(np.full((50, 50), 300.0), 100.0, np.zeros((50, 50)), EQUAL)), "phase varies"),
    ],
    ids=["four frames", "no fringes", "one phase"],
)
def test_steps_that_cannot_be_estimated_are_refused(frames, words: str) -> None:
    with pytest.raises(InputError, match=words):
        estimate_steps(frames(default_rng(7)))


def fringes(h0: float, h1: float, size: tuple[int, int] = (2, 3)) -> Fringes:
    return Fringes(*(np.full(size, value, np.float32) for value in (h0, h1, 0.0)))


def test_dark_field_is_relative_to_the_open_beam() -> None:
    assert dark_field(fringes(10, 2))[0, 0] == pytest.approx(-np.log(0.2))
    assert dark_field(fringes(10, 2), fringes(20, 8))[0, 0] == pytest.approx(-np.log(0.2 / 0.4))


@pytest.mark.parametrize(("h0", "h1"), [(0.0, 1.0), (-3.0, 1.0), (5.0, 0.0), (np.nan, 1.0), (5.0, np.inf)])
def test_invalid_pixels_are_nan_and_others_are_not(h0: float, h1: float) -> None:
    sample = fringes(10, 2)
    sample.h0[1, 1], sample.h1[1, 1] = h0, h1
    for values in (dark_field(sample), dark_field(sample, fringes(20, 8)), dark_field(fringes(20, 8), sample)):
        assert np.isnan(values[1, 1])
        assert np.isnan(values).sum() == 1


def test_an_h0_that_is_positive_nowhere_is_refused() -> None:
    with pytest.raises(InputError, match="H0 of the sample is not positive in any pixel"):
        dark_field(fringes(-1, 2))
    with pytest.raises(InputError, match="open beam is 4×4 but the sample is 2×3"):
        dark_field(fringes(3, 2), fringes(3, 2, (4, 4)))
