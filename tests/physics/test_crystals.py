from pathlib import Path

import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.physics.crystals import CRYSTALS, Atom, Crystal

CIF = """data_{name}
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {a}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M '{group}'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
{atoms}
"""


def write_cif(folder: Path, text: str) -> Path:
    path = folder / "crystal.cif"
    path.write_text(text)
    return path


# Textbook densities in g/cm³ at room temperature.
@pytest.mark.parametrize(
    ("name", "density", "atoms"),
    [("Al", 2.699, 4), ("Cu", 8.935, 4), ("Ni", 8.908, 4), ("Fe", 7.874, 2), ("W", 19.25, 2), ("Ti", 4.506, 2),
     ("Mg", 1.738, 2), ("Si", 2.329, 8)],
)  # fmt: skip
def test_built_in_crystals_have_their_density(name: str, density: float, atoms: int) -> None:
    crystal = Crystal.named(name)
    assert crystal.density == pytest.approx(density, rel=2e-3)
    assert sum(len(copies) for _, copies in crystal.sites) == atoms


@pytest.mark.parametrize(("name", "count"), [("Al", 24), ("Fe", 24), ("Si", 24), ("Ti", 12)])
def test_the_laue_class_has_its_number_of_rotations(name: str, count: int) -> None:
    rotations = Crystal.named(name).rotations
    assert len(rotations) == count
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0, atol=1e-12)
    squares = rotations @ np.swapaxes(rotations, 1, 2)
    np.testing.assert_allclose(squares, np.broadcast_to(np.eye(3), (count, 3, 3)), atol=1e-9)
    # A group: every product is in it.
    products = np.einsum("aij,bjk->abik", rotations, rotations).reshape(-1, 1, 3, 3)
    assert (np.abs(products - rotations).max(axis=(2, 3)).min(axis=1) < 1e-9).all()


def test_reciprocal_vectors_have_the_length_of_their_spacing() -> None:
    a, c = 2.9508, 4.6855
    hkl = np.array([[1, 0, 0], [0, 0, 2], [1, 0, 1], [2, -1, 3]])
    h, k, l_ = hkl.T
    # The closed form of hexagonal lattices.
    closed = 1.0 / np.sqrt(4.0 / 3.0 * (h * h + h * k + k * k) / a**2 + l_**2 / c**2)
    np.testing.assert_allclose(Crystal.named("Ti").spacing(hkl), closed, rtol=1e-12)
    lattice = Crystal.named("Ti")
    np.testing.assert_allclose(lattice.lattice.T @ lattice.reciprocal, 2 * np.pi * np.eye(3), atol=1e-12)


def test_a_triclinic_cell_has_its_volume() -> None:
    cell = (5.0, 6.0, 7.0, 80.0, 95.0, 105.0)
    alpha, beta, gamma = np.cos(np.radians(cell[3:]))
    expected = 210.0 * np.sqrt(1 - alpha**2 - beta**2 - gamma**2 + 2 * alpha * beta * gamma)
    crystal = Crystal(name="any", cell=cell, space_group=1, atoms=(Atom(element="C", position=(0, 0, 0)),))
    assert crystal.volume == pytest.approx(expected, rel=1e-12)


def test_a_cif_is_the_built_in_crystal(tmp_path: Path) -> None:
    text = CIF.format(name="copper", a=3.6149, group="F m -3 m", atoms="Cu1 Cu 0 0 0")
    crystal = Crystal.from_cif(write_cif(tmp_path, text), displacement=0.007)
    built = Crystal.named("Cu")
    assert crystal.name == "copper"
    assert crystal.density == pytest.approx(built.density)
    assert crystal.atoms == built.atoms
    np.testing.assert_allclose(crystal.rotations, built.rotations, atol=1e-12)


def test_displacements_and_occupancies_of_a_cif_are_kept(tmp_path: Path) -> None:
    text = CIF.format(name="x", a=4.0, group="P m -3 m", atoms="")
    text = (
        text.rstrip()
        + "\n_atom_site_U_iso_or_equiv\n_atom_site_occupancy\nA1 Ni 0 0 0 0.02 0.5\nB1 Al 0.5 0.5 0.5 0.01 1\n"
    )
    atoms = Crystal.from_cif(write_cif(tmp_path, text)).atoms
    assert [(atom.element, atom.displacement, atom.occupancy) for atom in atoms] == [
        ("Ni", 0.02, 0.5),
        ("Al", 0.01, 1.0),
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda text: "\n".join(line for line in text.splitlines() if "_cell_" not in line),
            "no unit cell: _cell_length_a",
        ),
        (lambda text: text.replace("_cell_length_b 3.6", "_other 3.6"), "_cell_length_b is missing"),
        (lambda text: text.replace("F m -3 m", "Q 7"), "no known symmetry"),
        (lambda text: text[: text.index("loop_")], "lists no atoms"),
        (lambda text: "not a file of this kind {", "not a CIF"),
    ],
)
def test_a_cif_that_lacks_something_says_what(tmp_path: Path, change, words: str) -> None:
    text = change(CIF.format(name="copper", a=3.6, group="F m -3 m", atoms="Cu1 Cu 0 0 0"))
    with pytest.raises(InputError, match=words):
        Crystal.from_cif(write_cif(tmp_path, text))


def test_what_cannot_be_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file"):
        Crystal.from_cif(tmp_path / "absent.cif")
    with pytest.raises(InputError, match="did you mean 'Al'"):
        Crystal.named("Al1")
    with pytest.raises(ValueError, match="no space group 231"):
        Crystal(name="x", cell=(1, 1, 1, 90, 90, 90), space_group=231, atoms=(Atom(element="C", position=(0, 0, 0)),))
    with pytest.raises(ValueError, match="no cell has the angles"):
        Crystal(name="x", cell=(1, 1, 1, 20, 20, 90), space_group=1, atoms=(Atom(element="C", position=(0, 0, 0)),))
    assert {"Al", "Cu", "Fe", "Fe-fcc", "Ni", "Ti", "W"} <= set(CRYSTALS)
