import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.physics.orientations import TextureComponent
from beamforge.simulation.polycrystals.body import Box, Cylinder
from beamforge.simulation.polycrystals.laguerre import POLYCRYSTALS, Polycrystal, fitted_tessellation


def small(**changes) -> Polycrystal:
    settings = {"body": Cylinder(diameter=100.0, height=120.0), "grains": 40, "spread": 0.3, "voxels": 12.0}
    return Polycrystal(**{**settings, **changes})


@pytest.mark.parametrize("body", [Cylinder(diameter=100.0, height=120.0), Box(widths=(80.0, 100.0, 120.0))])
def test_voxels_belong_to_the_nearest_seed_in_power_distance(body) -> None:
    poly = small(body=body)
    places, volumes = poly.draw_seeds(default_rng(1))
    assert body.holds(places).all()
    seeds, weights = fitted_tessellation(body, places, volumes)
    volume = poly.build(places, volumes, poly.draw_orientations(default_rng(2)))
    sides = zip(volume.labels.shape, volume.origin[::-1], strict=True)
    z, y, x = np.meshgrid(*(np.arange(n) * poly.voxel_size + start for n, start in sides), indexing="ij")
    points = np.stack([x, y, z], axis=-1)
    inside = body.holds(points)
    np.testing.assert_array_equal(volume.labels > 0, inside)
    powers = ((points[inside][:, None] - seeds) ** 2).sum(axis=2) - weights
    np.testing.assert_array_equal(volume.labels[inside] - 1, powers.argmin(axis=1))
    # Voxels at the surface count whole or not at all: half a voxel of 6 µm at each of six faces 80 to 120 µm apart.
    assert volume.volumes.sum() == pytest.approx(body.volume, rel=0.1)


def test_grains_have_the_sizes_that_were_drawn() -> None:
    poly = small(voxels=20.0)
    places, volumes = poly.draw_seeds(default_rng(3))
    found = poly.build(places, volumes, poly.draw_orientations(default_rng(4))).volumes
    assert volumes.sum() == pytest.approx(poly.body.volume)
    # Small grains are a few points of the grid on which volumes are weighed.
    assert np.median(np.abs(found / volumes - 1.0)) < 0.12
    assert np.corrcoef(found, volumes)[0, 1] > 0.99


@pytest.mark.parametrize(("name", "grains", "mean"), [("D18", 230, 18.0), ("D35", 337, 35.0), ("D64", 485, 64.0)])
def test_presets_have_their_mean_grain_size(name: str, grains: int, mean: float) -> None:
    poly = Polycrystal.named(name)
    assert poly.grains == grains
    _, volumes = poly.draw_seeds(default_rng(5))
    assert np.cbrt(6 / np.pi * volumes).mean() * 1e3 == pytest.approx(mean, rel=0.02)


def test_same_streams_give_the_same_grains() -> None:
    first, second = (small().draw(default_rng(6)) for _ in range(2))
    assert first.labels.tobytes() == second.labels.tobytes()
    assert first.orientations.tobytes() == second.orientations.tobytes()


def test_what_cannot_be_is_named() -> None:
    with pytest.raises(InputError, match="available: D18, D35, D64"):
        Polycrystal.named("D36")
    component = TextureComponent(euler=(0, 0, 0), share=0.7)
    with pytest.raises(ValueError, match=r"claim 1.4"):
        small(texture=(component, component))
    assert POLYCRYSTALS == ("D18", "D35", "D64")
