from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.simulation import Sample, Step
from beamforge.simulation.polycrystals.body import Box, Cylinder
from beamforge.simulation.polycrystals.laguerre import Polycrystal
from beamforge.simulation.scenes.polycrystal import GrainFileScene, PolycrystalScene, grains_of
from contracts.step import StepContract

SMALL = Polycrystal(body=Cylinder(diameter=60.0, height=60.0), grains=8, voxels=8.0)


class TestPolycrystalContract(StepContract):
    examples = [
        PolycrystalScene(polycrystal=SMALL),
        PolycrystalScene(polycrystal=Polycrystal(body=Box(widths=(50, 60, 70)), grains=6, voxels=6.0, spread=0.0)),
    ]

    def sample(self) -> Sample:
        return Sample.empty()


def test_grains_come_back_as_they_were_drawn() -> None:
    scene = PolycrystalScene(polycrystal=SMALL)
    parameters = scene.draw(Sample.empty(), default_rng(1))
    volume = grains_of(scene.apply(Sample.empty(), parameters, default_rng(2)))
    np.testing.assert_array_equal(volume.orientations, parameters["orientations"])
    assert volume.count == 8
    assert set(np.unique(volume.labels)) <= set(range(9))
    assert volume.voxel_size == SMALL.voxel_size


def test_grains_come_from_a_file(real_data: Path, tmp_path: Path) -> None:
    scene = GrainFileScene(path=real_data / "labdct" / "al1050_grain_volume" / "lab_dct_Al1050.h5")
    scene.save(tmp_path / "scene")
    again = Step.load(tmp_path / "scene")
    volume = grains_of(again.apply(Sample.empty(), {}, default_rng(0)))
    assert volume.count == 105
    np.testing.assert_allclose(volume.centre, [0.02198992, 0.00942425, 0.02513134], atol=1e-7)


def test_a_sample_without_grains_says_so() -> None:
    with pytest.raises(InputError, match="grains, orientations, placement missing"):
        grains_of(Sample.empty())
