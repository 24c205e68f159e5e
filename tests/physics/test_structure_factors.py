from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from beamforge.errors import InputError
from beamforge.physics.crystals import Crystal
from beamforge.physics.structure_factors import families, structure_factors


def with_displacement(name: str, displacement: float) -> Crystal:
    crystal = Crystal.named(name)
    atoms = tuple(atom.model_copy(update={"displacement": displacement}) for atom in crystal.atoms)
    return crystal.model_copy(update={"atoms": atoms})


def test_fcc_and_bcc_are_sums_of_phases() -> None:
    # |F|² = 16 f² for unmixed indices of fcc, 4 f² for an even sum of bcc, nothing otherwise; f as tabulated in the
    # International Tables C 6.1.1: Al at s = .2138 8.97 electrons, Fe at s = .2467 16.9 (to 1 %).
    still, energies = with_displacement("Al", 0.0), np.array([300.0])
    assert structure_factors(still, np.array([[1, 1, 1]]), energies)[0, 0] == pytest.approx(16 * 8.97**2, rel=0.01)
    assert structure_factors(still, np.array([[1, 1, 0]]), energies)[0, 0] == pytest.approx(0.0, abs=1e-20)
    iron = with_displacement("Fe", 0.0)
    assert structure_factors(iron, np.array([[1, 1, 0]]), energies)[0, 0] == pytest.approx(4 * 18.5**2, rel=0.02)
    assert structure_factors(iron, np.array([[1, 0, 0]]), energies)[0, 0] == pytest.approx(0.0, abs=1e-20)


def test_hcp_has_the_closed_form() -> None:
    # |F|² = 4 f² cos²(π ((h + 2k) / 3 + l / 2)).
    crystal = with_displacement("Ti", 0.0)
    hkl = np.array([[1, 0, 0], [0, 0, 2], [1, 0, 1], [1, 0, 2], [1, 1, 0], [0, 0, 1], [1, 0, 3]])
    found = structure_factors(crystal, hkl, np.array([80.0]))[:, 0]
    h, k, l_ = hkl.T
    closed = 4 * np.cos(np.pi * ((h + 2 * k) / 3 + l_ / 2)) ** 2
    import xraydb

    s = 0.5 / crystal.spacing(hkl)
    f = xraydb.f0("Ti", s) + xraydb.f1_chantler("Ti", 80e3) + 1j * xraydb.f2_chantler("Ti", 80e3)
    np.testing.assert_allclose(found, closed * np.abs(f) ** 2, rtol=1e-9, atol=1e-9)


def test_thermal_displacement_takes_its_share() -> None:
    hkl, energies = np.array([[2, 2, 0]]), np.array([60.0])
    cold, warm = (structure_factors(with_displacement("Al", u), hkl, energies)[0, 0] for u in (0.0, 0.0107))
    # The Debye-Waller parameter B = 8 π² U of aluminium is .845 Å²; intensities fall by exp(-2 B s²).
    s = 0.5 * np.sqrt(8) / 4.04975
    assert warm / cold == pytest.approx(np.exp(-2 * 0.845 * s**2), rel=1e-3)


def test_anomalous_scattering_shows_below_the_edge() -> None:
    # Nickel's K edge is at 8.333 keV: f' falls to about -7 electrons there.
    hkl = np.array([[1, 1, 1]])
    near, far = structure_factors(Crystal.named("Ni"), hkl, np.array([8.33, 60.0]))[0]
    assert near < 0.75 * far


@pytest.mark.parametrize(("name", "file"), [("Al", "Ahkl_Al.mat"), ("Fe", "Ahkl_Fe_new.mat")])
def test_tabulated_structure_factors(real_data: Path, name: str, file: str) -> None:
    table = loadmat(real_data / "labdct" / "far_field_iron" / file)["Ahkl"]
    hkl, s = table[:, :3].astype(int), table[:, 3]
    crystal = with_displacement(name, 0.01)
    np.testing.assert_allclose(0.5 / crystal.spacing(hkl), s, rtol=1e-9)
    # The table was made with exp(-2π² U s²) for the amplitude; ours has 8π². No anomalous part: far above all edges.
    found = structure_factors(crystal, hkl, np.array([400.0]))[:, 0] * np.exp(2 * (8 - 2) * np.pi**2 * 0.01 * s**2)
    np.testing.assert_allclose(found, table[:, 4], rtol=0.02)


@pytest.mark.parametrize(
    ("name", "indices", "sizes"),
    [
        ("Al", [(1, 1, 1), (2, 0, 0), (2, 2, 0), (3, 1, 1), (2, 2, 2), (4, 0, 0), (3, 3, 1)], [8, 6, 12, 24, 8, 6, 24]),
        ("Fe", [(1, 1, 0), (2, 0, 0), (2, 1, 1), (2, 2, 0), (3, 1, 0)], [12, 6, 24, 12, 24]),
        ("Si", [(1, 1, 1), (2, 2, 0), (3, 1, 1), (4, 0, 0), (3, 3, 1)], [8, 12, 24, 6, 24]),
        ("Ti", [(1, 0, 0), (0, 0, 2), (1, 0, 1), (1, 0, 2), (1, 1, 0)], [6, 2, 12, 12, 6]),
    ],
)
def test_families_come_in_order_and_whole(name: str, indices: list[tuple[int, ...]], sizes: list[int]) -> None:
    found = families(Crystal.named(name), len(indices))
    assert [len(members) for members in found] == sizes
    for members, expected in zip(found, indices, strict=True):
        assert expected in {tuple(int(index) for index in member) for member in members}


def test_families_of_equal_spacing_stay_apart() -> None:
    spacings = [tuple(sorted(np.abs(members[0]))) for members in families(Crystal.named("Al"), 11)]
    assert (1, 1, 5) in spacings
    assert (3, 3, 3) in spacings


def test_what_cannot_be_is_named() -> None:
    with pytest.raises(InputError, match="0 families"):
        families(Crystal.named("Al"), 0)
    with pytest.raises(InputError, match=r"0\.01"):
        structure_factors(Crystal.named("Al"), np.array([[1, 1, 1]]), np.array([0.01]))
