"""Crystal structures: cells, atoms and symmetry; built in or from a CIF."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, model_validator

from beamforge.arrays import Float64, Integers
from beamforge.errors import InputError, one_of

if TYPE_CHECKING:
    import gemmi

_TOUCHING = 1e-3
"""Fractional distance below which two symmetry copies of an atom are the same site."""


class Atom(BaseModel):
    """An atom of the asymmetric unit.

    Attributes
    ----------
    element
        Chemical symbol.
    position
        Fractional coordinates.
    occupancy
        Share of the cells that have it.
    displacement
        Mean square displacement along any direction, U in Å²; the Debye-Waller parameter is B = 8 π² U.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    element: str
    position: tuple[float, float, float]
    occupancy: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    displacement: NonNegativeFloat = 0.0


class Crystal(BaseModel):
    """A crystal structure.

    Attributes
    ----------
    name
        For tables and messages.
    cell
        a, b, c in Å, alpha, beta, gamma in degrees.
    space_group
        Number or Hermann-Mauguin symbol.
    atoms
        The asymmetric unit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    cell: tuple[PositiveFloat, PositiveFloat, PositiveFloat, PositiveFloat, PositiveFloat, PositiveFloat]
    space_group: int | str
    atoms: tuple[Atom, ...]

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if not self.atoms:
            raise ValueError(f"{self.name} has no atoms")
        if not all(angle < 180.0 for angle in self.cell[3:]):
            raise ValueError(f"the angles of a cell are below 180°, got {self.cell[3:]}")
        alpha, beta, gamma = (math.cos(math.radians(angle)) for angle in self.cell[3:])
        if not 1.0 - alpha**2 - beta**2 - gamma**2 + 2.0 * alpha * beta * gamma > 0.0:
            raise ValueError(f"no cell has the angles {self.cell[3:]}")
        _group(self.space_group)
        return self

    @classmethod
    def named(cls, name: str) -> Self:
        """Give a built-in structure.

        Raises
        ------
        InputError
            Naming the nearest there is.
        """
        if name not in _BUILT_IN:
            raise one_of("crystal", name, _BUILT_IN)
        cell, group, atoms = _BUILT_IN[name]
        sites = tuple(Atom(element=element, position=place, displacement=u) for element, place, u in atoms)
        return cls(name=name, cell=cell, space_group=group, atoms=sites)

    @classmethod
    def from_cif(cls, path: str | Path, displacement: float = 0.01) -> Self:
        """Read a structure from a CIF.

        Parameters
        ----------
        path
            The file.
        displacement
            U in Å² for a file that states no displacements.

        Raises
        ------
        InputError
            If the file is none, or lacks its cell, its symmetry or its atoms.
        """
        return cls(**_read_cif(Path(path), displacement))

    @property
    def volume(self) -> float:
        """Volume of the cell in Å³."""
        return float(abs(np.linalg.det(self.lattice)))

    @property
    def lattice(self) -> Float64:
        """The cell's edges as columns (3, 3) in Å; a along x, b in the x-y plane."""
        a, b, c = self.cell[:3]
        cos_alpha, cos_beta, cos_gamma = np.cos(np.radians(self.cell[3:]))
        sin_gamma = math.sin(math.radians(self.cell[5]))
        up = (cos_alpha - cos_beta * cos_gamma) / sin_gamma
        rise = math.sqrt(1.0 - cos_beta**2 - up**2)
        return np.array([[a, b * cos_gamma, c * cos_beta], [0.0, b * sin_gamma, c * up], [0.0, 0.0, c * rise]])

    @property
    def reciprocal(self) -> Float64:
        """The matrix B (3, 3) in 1/Å, 2π included: B (h, k, l) is the scattering vector in the crystal's frame."""
        return np.asarray(2.0 * np.pi * np.linalg.inv(self.lattice).T)

    @property
    def operations(self) -> list[tuple[Float64, Float64]]:
        """Rotation (3, 3) and shift (3,) of every symmetry operation, in fractional coordinates."""
        found = []
        for operation in _group(self.space_group).operations():
            rotation = np.array(operation.rot, dtype=np.float64) / operation.DEN
            found.append((rotation, np.array(operation.tran, dtype=np.float64) / operation.DEN))
        return found

    @property
    def sites(self) -> tuple[tuple[Atom, Float64], ...]:
        """Every atom of the asymmetric unit with the fractional coordinates (copy, 3) of its copies in the cell."""
        expanded = []
        for atom in self.atoms:
            copies: list[Float64] = []
            for rotation, shift in self.operations:
                place = (rotation @ np.asarray(atom.position) + shift) % 1.0
                if all(np.abs((place - known + 0.5) % 1.0 - 0.5).max() > _TOUCHING for known in copies):
                    copies.append(place)
            expanded.append((atom, np.array(copies)))
        return tuple(expanded)

    @property
    def rotations(self) -> Float64:
        """The proper rotations (rotation, 3, 3) of the crystal's Laue class, in its Cartesian frame.

        24 for cubic, 12 for hexagonal crystals of the higher class: orientations U and U R look the same to
        diffraction (Friedel's law).
        """
        proper = {tuple(np.rint(rotation * round(float(np.linalg.det(rotation)))).astype(int).ravel()): None
                  for rotation, _ in self.operations}  # fmt: skip
        inverse = np.linalg.inv(self.lattice)
        return np.array([self.lattice @ np.reshape(rotation, (3, 3)) @ inverse for rotation in proper])

    def spacing(self, hkl: Integers) -> Float64:
        """Give the distance in Å between the planes of each reflection (..., 3)."""
        return np.asarray(2.0 * np.pi / np.linalg.norm(hkl @ self.reciprocal.T, axis=-1))

    @property
    def formula(self) -> str:
        """Atoms in the cell, such as ``Al4``."""
        amounts: dict[str, float] = {}
        for atom, copies in self.sites:
            amounts[atom.element] = amounts.get(atom.element, 0.0) + atom.occupancy * len(copies)
        return "".join(f"{element}{amount:g}" for element, amount in amounts.items())

    @property
    def density(self) -> float:
        """Density in g/cm³."""
        import xraydb

        mass = sum(atom.occupancy * len(copies) * xraydb.atomic_mass(atom.element) for atom, copies in self.sites)
        return float(mass * _DALTON / self.volume)


_DALTON = 1.66053906892
"""g/cm³ of one dalton per Å³."""


def _group(space_group: int | str) -> gemmi.SpaceGroup:
    import gemmi

    if isinstance(space_group, int):
        found = gemmi.find_spacegroup_by_number(space_group) if 1 <= space_group <= 230 else None
    else:
        found = gemmi.find_spacegroup_by_name(space_group)
    if found is None:
        raise ValueError(f"there is no space group {space_group!r}")
    return found


def _read_cif(path: Path, displacement: float) -> dict[str, object]:
    import gemmi

    if not path.is_file():
        raise InputError(f"there is no file {path}")
    try:
        block = next(block for block in gemmi.cif.read(str(path)) if block.find_loop("_atom_site_label"))
    except StopIteration as error:
        raise InputError(
            f"{path} lists no atoms (_atom_site_label); expected the CIF of a crystal structure"
        ) from error
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path} is not a CIF: {error}") from error
    lengths = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    missing = [f"_cell_{tag}" for tag in lengths if block.find_value(f"_cell_{tag}") is None]
    if missing:
        raise InputError(f"{path} has no unit cell: {', '.join(missing)} is missing; add the six cell parameters")
    structure = gemmi.make_small_structure_from_block(block)
    if structure.spacegroup is None:
        raise InputError(f"{path} states no known symmetry; add _space_group_IT_number or its Hermann-Mauguin symbol")
    stated = any(block.find_loop(f"_atom_site_{tag}") for tag in ("U_iso_or_equiv", "B_iso_or_equiv"))
    atoms = [
        Atom(
            element=site.element.name,
            position=(site.fract.x, site.fract.y, site.fract.z),
            occupancy=site.occ,
            displacement=site.u_iso if stated else displacement,
        )
        for site in structure.sites
    ]
    return {
        "name": block.name or path.stem,
        "cell": structure.cell.parameters,
        "space_group": structure.spacegroup.xhm(),
        "atoms": tuple(atoms),
    }


# Cells at room temperature; mean square displacements U = B / 8π² in Å² rounded from the Debye-Waller parameters of
# elemental crystals at 293 K in Peng et al., Acta Cryst. A52 (1996), 456. Austenite is stable only above 912 °C or
# alloyed: its cell is that of stainless steel.
_FCC, _BCC, _HCP = 225, 229, 194
_ORIGIN = (0.0, 0.0, 0.0)
_CLOSE = (1.0 / 3.0, 2.0 / 3.0, 0.25)

_Cell = tuple[float, float, float, float, float, float]


def _cubic(edge: float) -> _Cell:
    return (edge, edge, edge, 90.0, 90.0, 90.0)


def _hexagonal(edge: float, height: float) -> _Cell:
    return (edge, edge, height, 90.0, 90.0, 120.0)


_BUILT_IN: dict[str, tuple[_Cell, int, list[tuple[str, tuple[float, float, float], float]]]] = {
    "Al": (_cubic(4.04975), _FCC, [("Al", _ORIGIN, 0.0107)]),
    "Cu": (_cubic(3.6149), _FCC, [("Cu", _ORIGIN, 0.0070)]),
    "Ni": (_cubic(3.5241), _FCC, [("Ni", _ORIGIN, 0.0046)]),
    "Fe": (_cubic(2.8665), _BCC, [("Fe", _ORIGIN, 0.0043)]),
    "Fe-fcc": (_cubic(3.59), _FCC, [("Fe", _ORIGIN, 0.0065)]),
    "W": (_cubic(3.1652), _BCC, [("W", _ORIGIN, 0.0020)]),
    "Ti": (_hexagonal(2.9508, 4.6855), _HCP, [("Ti", _CLOSE, 0.0066)]),
    "Mg": (_hexagonal(3.2094, 5.2108), _HCP, [("Mg", _CLOSE, 0.0240)]),
    "Si": (_cubic(5.4310), 227, [("Si", _ORIGIN, 0.0067)]),
}

CRYSTALS = tuple(_BUILT_IN)
"""Names of the built-in crystals."""
