"""Filters against closed forms: ramps, parabolas, waves."""

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.classical.pixels import Filters

Y, X = np.indices((80, 90)).astype(np.float64)
INNER = np.s_[35:45, 40:50]


def of(kind: str, image: np.ndarray, sigma: float = 2.0) -> np.ndarray:
    found = Filters(sigmas_px=(sigma,), kinds=(kind,))(image[None].astype(np.float32))
    np.testing.assert_array_equal(found[0], image.astype(np.float32))
    return found[1:]


def test_a_wave_is_damped_as_its_transfer_function_says() -> None:
    wave = np.sin(2 * np.pi * X / 15)
    damped = of("gaussian", wave)[0]
    assert damped[INNER] == pytest.approx(np.exp(-0.5 * (2 * np.pi / 15 * 2.0) ** 2) * wave[INNER], abs=2e-4)


def test_gradient_of_a_ramp() -> None:
    assert of("gradient", 0.3 * Y + 0.4 * X)[0][INNER] == pytest.approx(0.5, abs=2e-4)


def test_second_derivatives_of_a_parabola() -> None:
    # Hessian [[2, 1.5], [1.5, -1]] has the eigenvalues 0.5 ± sqrt(4.5).
    image = ((Y - 40) ** 2 + 1.5 * (Y - 40) * (X - 45) - 0.5 * (X - 45) ** 2) / 10
    assert of("laplacian", image)[0][INNER] == pytest.approx(0.1, abs=2e-3)
    high, low = of("hessian", image)
    assert high[INNER] == pytest.approx((0.5 + np.sqrt(4.5)) / 10, abs=2e-3)
    assert low[INNER] == pytest.approx((0.5 - np.sqrt(4.5)) / 10, abs=2e-3)


def test_structure_tensor_of_stripes_has_one_direction() -> None:
    high, low = of("structure", np.sin(2 * np.pi * (Y + X) / 12))
    assert (high[INNER] > 0.01).all()
    assert (np.abs(low[INNER]) < 1e-3 * high[INNER]).all()


def test_nothing_beyond_the_halo_matters_and_features_are_counted() -> None:
    image = default_rng(0).normal(size=(2, 90, 90)).astype(np.float32)
    for filters in (Filters(), Filters(kinds=("hessian",)), Filters(kinds=())):
        halo, whole = filters.halo, filters(image)
        assert len(whole) == filters.count(2)
        other = image.copy()
        other[:, 45 + halo + 1 :] = 1e3
        other[:, : 45 - halo] = -1e3
        np.testing.assert_array_equal(filters(other)[:, 45], whole[:, 45])
        if halo:
            other[:, 45 + halo] = 1e3
            assert (filters(other)[:, 45] != whole[:, 45]).any()


def test_features_that_repeat_are_refused() -> None:
    with pytest.raises(ValueError, match="features repeat"):
        Filters(kinds=("hessian", "hessian"))
