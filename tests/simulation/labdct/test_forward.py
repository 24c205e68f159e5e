"""The forward model against rays traced by another route, the closed form of intensities, and conserved sums."""

import numpy as np
import pytest
from mpmath import mp, mpf
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.physics.crystals import Crystal
from beamforge.physics.labdct import Geometry, Instrument
from beamforge.physics.orientations import uniform_orientations
from beamforge.physics.structure_factors import structure_factors
from beamforge.physics.xray_tube import TungstenTube
from beamforge.simulation.labdct.forward import ForwardModel
from beamforge.simulation.labdct.numba_engine import NumbaEngine
from beamforge.simulation.labdct.torch_engine import TorchEngine
from beamforge.simulation.polycrystals.body import Box, Cylinder
from beamforge.simulation.polycrystals.laguerre import Polycrystal
from beamforge.simulation.polycrystals.volume import GrainVolume

IRON = Crystal.named("Fe")
TILTED = Geometry(tilts=(0.5, -2.0, 1.5), beam_centre=(1003.2, 1021.7), beam_stop=(700, 1300, 700, 1300))


def single_cells(count: int, seed: int) -> GrainVolume:
    """Grains of one voxel each, spread over 0.3 mm."""
    rng = default_rng(seed)
    labels = np.zeros((60, 60, 60), np.int32)
    places = rng.permutation(60**3)[:count]
    labels.ravel()[places] = np.arange(1, count + 1)
    return GrainVolume(labels=labels, orientations=uniform_orientations(count, rng), voxel_size=0.005)


def reflected(point: np.ndarray, g: np.ndarray, geometry: Geometry) -> list[float]:
    """Row and column by another route: mirror the incoming ray at the planes, cut the detector in 40 digits.

    The mirrored ray leaves along b - 2 (b·n) n; where it meets the detector solves p + t d = c + u y + v z.
    """
    mp.dps = 40
    point, g = [mpf(float(v)) for v in point], [mpf(float(v)) for v in g]
    beam = [point[0] + mpf(geometry.source_to_sample), point[1], point[2]]
    length = mp.sqrt(sum(v * v for v in g))
    normal = [v / length for v in g]
    dot = sum(a * b for a, b in zip(beam, normal, strict=True))
    out = [a - 2 * dot * n for a, n in zip(beam, normal, strict=True)]
    rx, ry, rz = (mp.pi * mpf(angle) / 180 for angle in geometry.tilts)
    turn_x = mp.matrix([[1, 0, 0], [0, mp.cos(rx), -mp.sin(rx)], [0, mp.sin(rx), mp.cos(rx)]])
    turn_y = mp.matrix([[mp.cos(ry), 0, mp.sin(ry)], [0, 1, 0], [-mp.sin(ry), 0, mp.cos(ry)]])
    turn_z = mp.matrix([[mp.cos(rz), -mp.sin(rz), 0], [mp.sin(rz), mp.cos(rz), 0], [0, 0, 1]])
    turn = turn_x * turn_y * turn_z
    system = mp.matrix(3, 3)
    for i in range(3):
        system[i, 0], system[i, 1], system[i, 2] = turn[i, 1], turn[i, 2], -out[i]
    side = mp.matrix([point[0] - mpf(geometry.sample_to_detector), point[1], point[2]])
    u, v, _ = mp.lu_solve(system, side)
    pixel = mpf(geometry.pixel_size) / 1000
    return [float(geometry.centre[0] - v / pixel), float(geometry.centre[1] - u / pixel)]


def turned(omega: float) -> np.ndarray:
    c, s = np.cos(np.radians(omega)), np.sin(np.radians(omega))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


@pytest.mark.parametrize("geometry", [Geometry(), TILTED, Instrument.named("far-field-iron").geometry])
def test_spots_are_where_mirrored_rays_meet_the_detector(geometry: Geometry) -> None:
    volume = single_cells(60, 1)
    model = ForwardModel(volume, IRON, Instrument(geometry=geometry), mesh=5.0, families=4)
    omega = 37.0
    spots = model.project(omega).spots
    assert len(spots) > 50
    for spot in spots:
        place = np.argwhere(volume.labels == spot["grain"])[0][::-1]
        point = turned(omega) @ ((place - 29.5) * 0.005)
        hkl = np.array([spot["h"], spot["k"], spot["l"]])
        g = turned(omega) @ volume.orientations[spot["grain"] - 1] @ (2 * np.pi / 2.8665 * hkl)
        np.testing.assert_allclose([spot["y"], spot["x"]], reflected(point, g, geometry), atol=0.001)


def test_energies_fulfil_braggs_law() -> None:
    geometry = Geometry()
    volume = single_cells(40, 2)
    spots = ForwardModel(volume, Crystal.named("Al"), Instrument(geometry=geometry), mesh=5.0).project(0.0).spots
    for spot in spots:
        place = (np.argwhere(volume.labels == spot["grain"])[0][::-1] - 29.5) * 0.005
        row, column = spot["y"], spot["x"]
        hit = np.array([11.0, -(column - 1015.5) * geometry.pixel, -(row - 1015.5) * geometry.pixel])
        before, after = place - geometry.source, hit - place
        two_theta = np.arccos(before @ after / np.linalg.norm(before) / np.linalg.norm(after))
        spacing = 4.04975 / np.sqrt(sum(float(spot[axis]) ** 2 for axis in "hkl"))
        assert spot["energy"] == pytest.approx(12.39842 / (2 * spacing * np.sin(two_theta / 2)), rel=1e-5)


@pytest.mark.parametrize("lorentz", ["laue", "rotation"])
def test_intensity_is_the_closed_form(lorentz: str) -> None:
    instrument = Instrument(tube=TungstenTube(line_width=20.0), lorentz=lorentz, energies=(20.0, 130.0))
    volume = single_cells(30, 3)
    aluminium = Crystal.named("Al")
    spots = ForwardModel(volume, aluminium, instrument, mesh=5.0, body=Cylinder(diameter=600, height=400)).project(0.0)
    for spot in spots.spots[::8]:
        energy = np.array([spot["energy"]])
        hkl = np.array([[spot["h"], spot["k"], spot["l"]]])
        wavelength = 12.398419843 / energy[0]
        spacing = 4.04975 / np.linalg.norm(hkl)
        theta = np.arcsin(wavelength / (2 * spacing))
        point = (np.argwhere(volume.labels == spot["grain"])[0][::-1] - 29.5) * 0.005
        pixel = instrument.geometry.pixel
        hit = np.array([11.0, (1015.5 - spot["x"]) * pixel, (1015.5 - spot["y"]) * pixel])
        # March in small steps to the surface of the cylinder, both ways.
        ways = [way / np.linalg.norm(way) for way in (instrument.geometry.source - point, hit - point)]
        steps = np.arange(0, 1, 1e-4)[:, None]
        path = sum(1e-4 * Cylinder(diameter=600, height=400).holds(point + steps * way).sum() for way in ways)
        transmission = np.exp(-path * 0.1 * _aluminium(energy[0]))
        flux = instrument.tube.flux_density(energy)[0]
        if lorentz == "laue":
            factor = energy[0] * flux / (2 * np.sin(theta) ** 2)
        else:
            factor = 2.55 * flux / np.sin(2 * theta)
        expected = (
            (2.8179403e-12) ** 2 * wavelength**3 * (0.005 * 1e7) ** 3 / (4.04975**3) ** 2
            * factor * (1 + np.cos(2 * theta) ** 2) / 2 * structure_factors(aluminium, hkl, energy)[0, 0]
            * transmission * instrument.scintillator.efficiency(energy)[0] * 600.0
        )  # fmt: skip
        assert spot["intensity"] == pytest.approx(expected, rel=3e-3)


def _aluminium(energy: float) -> float:
    from beamforge.physics.materials import Material

    return Material(name="Al", formula="Al", density=Crystal.named("Al").density).xray_attenuation(energy)


@pytest.fixture(scope="module")
def small() -> tuple[Polycrystal, GrainVolume]:
    poly = Polycrystal(body=Cylinder(diameter=120.0, height=100.0), grains=24, spread=0.25, voxels=24.0)
    return poly, poly.draw(default_rng(11))


def instrument(**changes) -> Instrument:
    geometry = Geometry(pixel_size=6.7246, shape=(1016, 1016), beam_stop=(330, 686, 330, 686))
    return Instrument(geometry=geometry, **changes)


def test_photons_are_conserved_under_refinement(small) -> None:
    poly, volume = small
    sums = []
    for mesh in (2.0, 1.0, 0.5):
        model = ForwardModel(volume, IRON, instrument(), body=poly.body, mesh=mesh)
        # Away from any edge: spots that lie whole on the detector.
        spots = model.project(20.0).spots
        whole = (np.abs(spots["y"] - 507.5) < 450) & (np.abs(spots["x"] - 507.5) < 450)
        sums.append(spots["intensity"][whole].sum())
    np.testing.assert_allclose(sums, sums[-1], rtol=0.01)


def test_the_image_holds_the_photons_of_its_table(small) -> None:
    poly, volume = small
    geometry = Geometry(pixel_size=13.5, shape=(1200, 1200))
    model = ForwardModel(volume, IRON, Instrument(geometry=geometry), body=poly.body)
    projection = model.project(50.0)
    inside = (np.abs(projection.spots[["y", "x"]].tolist() - np.array(599.5)) < 560).all(axis=1)
    assert projection.image.sum() == pytest.approx(projection.spots["intensity"].sum(), rel=1e-4) or not inside.all()
    assert projection.image.sum() == pytest.approx(projection.spots["intensity"][inside].sum(), rel=0.02)


def test_centroids_of_lone_spots_in_the_image_are_those_of_the_table() -> None:
    labels = np.zeros((30, 30, 30), np.int32)
    z, y, x = np.mgrid[:30, :30, :30] - 14.5
    labels[x**2 / 180 + y**2 / 90 + z**2 / 60 < 1] = 1
    volume = GrainVolume(labels=labels, orientations=uniform_orientations(1, default_rng(5)), voxel_size=0.002)
    model = ForwardModel(volume, IRON, instrument(), visible=1e-3)
    for omega in (0.0, 30.0):
        projection = model.project(omega)
        for number, spot in enumerate(projection.spots, start=1):
            rows, columns = np.nonzero(projection.owners == number)
            if len(rows) < 30 or min(rows.min(), columns.min()) < 8 or max(rows.max(), columns.max()) > 1007:
                continue
            weights = projection.image[rows, columns].astype(np.float64)
            if weights.sum() < 0.98 * spot["intensity"]:
                continue  # behind the beam stop in part
            assert np.average(rows, weights=weights) == pytest.approx(spot["y"], abs=0.05)
            assert np.average(columns, weights=weights) == pytest.approx(spot["x"], abs=0.05)


def test_threads_do_not_change_the_bytes(small) -> None:
    poly, volume = small
    model = ForwardModel(volume, IRON, instrument(), body=poly.body)
    one, three = (model.project(10.0, engine=NumbaEngine(workers)) for workers in (1, 3))
    assert one.image.tobytes() == three.image.tobytes()
    assert one.spots.tobytes() == three.spots.tobytes()
    many = list(model.projections([10.0, 20.0, 30.0], workers=2))
    assert many[0].image.tobytes() == one.image.tobytes()
    assert [projection.omega for projection in many] == [10.0, 20.0, 30.0]


@pytest.mark.parametrize("body", [None, Cylinder(diameter=120.0, height=100.0), Box(widths=(120.0, 110.0, 100.0))])
def test_torch_gives_the_same_image(small, body) -> None:
    _, volume = small
    model = ForwardModel(volume, IRON, instrument(), body=body)
    compiled, torch = model.project(33.0), model.project(33.0, engine=TorchEngine("cpu"))
    assert np.abs(compiled.image - torch.image).max() < 1e-3 * compiled.image.max()
    # Sums of float32 in another order: far closer than was asked for.
    assert np.abs(compiled.image - torch.image).max() < 1e-5 * compiled.image.max()
    for name in ("grain", "h", "k", "l"):
        np.testing.assert_array_equal(compiled.spots[name], torch.spots[name])
    for name in ("y", "x", "energy", "intensity"):
        np.testing.assert_allclose(compiled.spots[name], torch.spots[name], rtol=1e-6)


def test_a_full_turn_changes_nothing_and_the_beam_stop_is_dark(small) -> None:
    poly, volume = small
    model = ForwardModel(volume, IRON, instrument(), body=poly.body)
    first, again = model.project(0.0), model.project(360.0)
    np.testing.assert_allclose(first.image, again.image, atol=1e-3 * first.image.max())
    assert (first.image[330:686, 330:686] == 0.0).all()
    assert (first.owners[330:686, 330:686] == 0).all()
    visible = first.visible
    assert (visible["peak"] > model.visible).all()
    assert set(np.unique(first.owners)) <= {0, *(1 + np.flatnonzero(first.spots["area"] > 0))}


def test_parallel_planes_make_one_spot() -> None:
    volume = single_cells(200, 6)
    spots = ForwardModel(volume, IRON, Instrument(), mesh=5.0, families=4).project(0.0).spots
    places = np.round(np.stack([spots["grain"], spots["y"], spots["x"]], axis=1), 3)
    assert len(np.unique(places, axis=0)) == len(spots)
    alone = ForwardModel(volume, IRON, Instrument(), mesh=5.0, families=1).project(0.0).spots
    # 110 and 220 share a place and add up.
    keys = {tuple(place): total for place, total in zip(places.tolist(), spots["intensity"], strict=True)}
    for spot in alone:
        key = tuple(np.round([float(spot["grain"]), spot["y"], spot["x"]], 3))
        near = [
            total
            for place, total in keys.items()
            if place[0] == key[0] and np.hypot(place[1] - key[1], place[2] - key[2]) < 0.5
        ]
        assert max(near) >= spot["intensity"] * (1 - 1e-9)


def test_strain_moves_spots_by_its_share() -> None:
    volume = single_cells(1, 7)
    turned_grain = np.eye(3)[None]
    base = GrainVolume(labels=volume.labels, orientations=turned_grain, voxel_size=0.005)
    stretched = GrainVolume(
        labels=volume.labels, orientations=turned_grain, voxel_size=0.005, strains=np.eye(3)[None] * 0.01
    )
    energies = []
    for grain in (base, stretched):
        spots = ForwardModel(grain, Crystal.named("Al"), Instrument(), mesh=5.0).project(12.0).spots
        energies.append({(spot["h"], spot["k"], spot["l"]): spot["energy"] for spot in spots})
    shared = set(energies[0]) & set(energies[1])
    assert shared
    for hkl in shared:
        # Planes 1 % wider apart take photons of 1 % less energy at the same angle.
        assert energies[0][hkl] / energies[1][hkl] == pytest.approx(1.01, rel=1e-6)


def test_mosaicity_and_a_large_source_widen_spots(small) -> None:
    _, volume = small
    sizes = []
    for mosaicity, source in ((0.0, 1.0), (0.3, 1.0), (0.0, 60.0)):
        model = ForwardModel(volume, IRON, instrument(source_size=source), mosaicity=mosaicity, visible=0.1)
        sizes.append(model.project(5.0).visible["area"].mean())
    assert sizes[1] > 1.5 * sizes[0]
    assert sizes[2] > 1.5 * sizes[0]


def test_what_cannot_be_is_named(small) -> None:
    _, volume = small
    away = GrainVolume(
        labels=volume.labels, orientations=volume.orientations, voxel_size=volume.voxel_size, centre=(0.0, 0.0, 5.0)
    )
    with pytest.raises(InputError, match=r"grain 1 at .* outside the field of view \(24 grains in all\)"):
        ForwardModel(away, IRON, instrument()).project(0.0)
    model = ForwardModel(volume, IRON, instrument(), body=Box(widths=(120, 120, 100)))
    with pytest.raises(InputError, match="expected a number"):
        model.project(np.nan)
    with pytest.raises(InputError, match="no rotation angle"):
        next(model.projections([]))


@pytest.mark.parametrize("engine", [NumbaEngine(), TorchEngine("cpu")])
def test_grains_without_voxels_and_projections_without_spots_are_empty(engine) -> None:
    labels = np.zeros((4, 4, 4), np.int32)
    labels[1:3, 1:3, 1:3] = 2  # the first of two grains has no voxel
    volume = GrainVolume(labels=labels, orientations=uniform_orientations(2, default_rng(9)), voxel_size=0.004)
    spots = ForwardModel(volume, IRON, Instrument()).project(0.0, engine=engine).spots
    assert set(spots["grain"]) <= {2}
    # At these energies no plane of iron reflects onto so small a detector.
    far = Instrument(geometry=Geometry(shape=(20, 20)), energies=(13.0, 14.0))
    empty = ForwardModel(volume, IRON, far).project(0.0, engine=engine)
    assert len(empty.spots) == 0
    assert not empty.image.any()
