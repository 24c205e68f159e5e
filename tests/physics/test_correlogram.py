from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import j0

from beamforge.errors import InputError
from beamforge.physics.correlogram import (
    Suspension,
    autocorrelation_length,
    fringe_period,
    small_angle_cross_section,
    sphere_correlation,
    visibility_ratio,
)
from beamforge.physics.materials import HEAVY_WATER, POLYSTYRENE, WATER


def overlap_of_spheres(distance: float) -> float:
    """Overlap of two unit spheres over the volume of one."""
    return 1.0 - 0.75 * distance + distance**3 / 16.0 if distance < 2.0 else 0.0


@pytest.mark.parametrize("x", [0.0, 0.05, 0.3, 0.9, 1.4, 1.95, 2.0, 3.0])
def test_sphere_correlation_is_the_projected_overlap(x: float) -> None:
    # G is the Abel transform along the beam of the overlap of a sphere with its shifted copy, 1 at zero.
    def along_the_beam(shift: float) -> float:
        end = np.sqrt(max(0.0, 4.0 - shift**2))
        return quad(lambda z: overlap_of_spheres(np.hypot(z, shift)), 0.0, end)[0]

    assert sphere_correlation(50.0 * x, 50.0) == pytest.approx(along_the_beam(x) / along_the_beam(0.0), abs=1e-9)


@pytest.mark.parametrize("x", [0.2, 0.7, 1.5, 2.3])
def test_sphere_correlation_is_the_hankel_transform_of_the_form_factor(x: float) -> None:
    q = np.linspace(1e-4, 400.0, 400_000)
    form_factor = (3.0 * (np.sin(q) - q * np.cos(q)) / q**3) ** 2
    numerator = np.trapezoid(j0(q * x) * form_factor * q, q)
    denominator = np.trapezoid(form_factor * q, q)
    assert sphere_correlation(x, 1.0) == pytest.approx(numerator / denominator, abs=2e-4)


@given(st.floats(1.0, 5000.0), st.lists(st.floats(0.0, 10_000.0), min_size=2, max_size=9))
def test_sphere_correlation_falls_from_one_to_zero(radius: float, lengths: list[float]) -> None:
    values = sphere_correlation(np.sort(lengths), radius)
    assert ((values >= 0.0) & (values <= 1.0)).all()
    assert (np.diff(values) <= 1e-12).all()


def test_worked_values_of_the_sphere_model() -> None:
    # Dilute spheres, R 1000 Å, phi .05, SLD 1 and 4, 4 Å, 2 mm. The source leaves the factor (1 - phi) out.
    phi = 0.05
    sigma = small_angle_cross_section(phi, 3.0, 4.0, 100.0) / (1.0 - phi)
    assert sigma == pytest.approx(1.08, abs=1e-9)
    lengths = np.array([10.0, 50.0, 100.0, 1000.0])
    ratio = visibility_ratio(sphere_correlation(lengths, 100.0), sigma, 0.2)
    np.testing.assert_allclose(ratio, [0.99603, 0.94633, 0.87032, 0.80574], atol=6e-6)


def test_polystyrene_in_heavy_water() -> None:
    # Diameter 500 Å, phi .1, 2 mm, 4 Å: a plateau of .748 was tabulated for a solvent of 1.1 g/cm³ without (1 - phi).
    solvent = HEAVY_WATER.model_copy(update={"density": 1.1})
    suspension = Suspension(sphere=POLYSTYRENE, solvent=solvent, diameter=50.0, volume_fraction=0.1)
    plateau = suspension.visibility_ratio(1000.0, 4.0, 0.2)
    assert plateau ** (1.0 / 0.9) == pytest.approx(0.748, abs=5e-4)
    by_volume = 0.1 * POLYSTYRENE.attenuation(4.0) + 0.9 * solvent.attenuation(4.0)
    assert suspension.attenuation(4.0) == pytest.approx(by_volume)


def test_measured_spin_echo_curve(real_data: Path) -> None:
    # 2 µm polystyrene in 53 % H2O and 47 % D2O, phi .0855, 2 mm; columns: length in Å, …, wavelength, …, polarisation.
    table = np.loadtxt(real_data / "sesans" / "spheres2micron.ses", skiprows=20)
    length, wavelength, polarisation = table[:, 0] / 10.0, table[:, 4], table[:, 6]
    solvent = 0.53 * WATER.scattering_length_density(2.11) + 0.47 * HEAVY_WATER.scattering_length_density(2.11)
    contrast = POLYSTYRENE.scattering_length_density(2.11) - solvent
    assert np.unique(wavelength) == 2.11
    sigma = small_angle_cross_section(0.0855, contrast, 2.11, 1000.0)
    two_phases = visibility_ratio(sphere_correlation(length, 1000.0), sigma, 0.2)
    dilute = two_phases ** (1.0 / (1.0 - 0.0855))
    assert len(length) == 40
    # The errors of the measurement are .003 to .005; the published model leaves (1 - phi) out.
    assert np.abs(dilute - polarisation).max() < 0.0115
    assert np.abs(two_phases - polarisation).max() < 0.0155
    assert np.abs(two_phases - polarisation)[:10].max() < 0.0065


def test_fringe_period_and_autocorrelation_length_belong_together() -> None:
    # 4 Å × 5 m / 2 mm = 1e-6 m = 1000 nm.
    assert autocorrelation_length(4.0, 5.0, 2.0) == pytest.approx(1000.0)
    assert fringe_period(4.0, 5.0, 1000.0) == pytest.approx(2.0)


@pytest.mark.parametrize("fraction", [-0.1, 1.2])
def test_impossible_volume_fractions_are_refused(fraction: float) -> None:
    with pytest.raises(InputError, match="expected 0 to 1"):
        small_angle_cross_section(fraction, 1.0, 4.0, 10.0)
