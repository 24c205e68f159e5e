from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.io import open_stack
from beamforge.physics.crystals import Crystal
from beamforge.physics.labdct import Geometry, Instrument, projection_angles
from beamforge.simulation.labdct.forward import ForwardModel
from beamforge.simulation.labdct.storage import instrument_of, read_spots, save_projections, spots_path
from beamforge.simulation.polycrystals.body import Cylinder
from beamforge.simulation.polycrystals.laguerre import Polycrystal
from beamforge.stack import as_stack, is_simulated


def model() -> ForwardModel:
    sample = Polycrystal(body=Cylinder(diameter=60.0, height=60.0), grains=8, voxels=8.0)
    geometry = Geometry(pixel_size=27.0, shape=(250, 252), beam_stop=(80, 170, 80, 170))
    return ForwardModel(sample.draw(default_rng(3)), Crystal.named("Fe"), Instrument(geometry=geometry), sample.body)


@pytest.mark.parametrize("name", ["set.tif", "set.zarr"])
def test_a_set_comes_back_with_angles_instrument_and_spots(tmp_path: Path, name: str) -> None:
    forward = model()
    omegas = [0.0, 45.0, 90.0]
    table = save_projections(forward, omegas, tmp_path / name, workers=2)
    stack = open_stack(tmp_path / name)
    np.testing.assert_array_equal(projection_angles(stack), omegas)
    assert instrument_of(stack) == forward.instrument
    assert is_simulated(stack)
    spots = read_spots(table)
    for number, omega in enumerate(omegas):
        projection = forward.project(omega)
        np.testing.assert_array_equal(stack.values[number], projection.image)
        np.testing.assert_array_equal(spots[spots["omega"] == omega], projection.spots)


def test_what_cannot_be_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no rotation angle"):
        save_projections(model(), [], tmp_path / "set.tif")
    assert not spots_path(tmp_path / "set.tif").exists()
    with pytest.raises(InputError, match="no table of spots"):
        read_spots(tmp_path / "absent.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="the columns a, b, expected grain"):
        read_spots(tmp_path / "other.csv")
    with pytest.raises(InputError, match="does not say with which instrument"):
        instrument_of(as_stack(np.zeros((1, 4, 4), np.float32)))
