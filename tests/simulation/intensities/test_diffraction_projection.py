import numpy as np
from numpy.random import default_rng

from beamforge.physics.labdct import Geometry, Instrument
from beamforge.simulation import Sample, Step
from beamforge.simulation.intensities.diffraction_projection import OWNERS, SPOTS, DiffractionProjection
from beamforge.simulation.labdct.forward import ForwardModel
from beamforge.simulation.polycrystals.body import Cylinder
from beamforge.simulation.polycrystals.laguerre import Polycrystal
from beamforge.simulation.scenes.polycrystal import grains_of, with_grains
from contracts.step import StepContract

POLY = Polycrystal(body=Cylinder(diameter=60.0, height=60.0), grains=8, voxels=8.0)
COARSE = Instrument(geometry=Geometry(pixel_size=27.0, shape=(250, 252), beam_stop=(80, 170, 80, 170)))


def grains() -> Sample:
    return with_grains(Sample.empty(), POLY.draw(default_rng(3)))


class TestDiffractionProjectionContract(StepContract):
    examples = [
        DiffractionProjection(instrument=COARSE, body=POLY.body),
        DiffractionProjection(instrument=COARSE, crystal="Al", mosaicity=0.1, omega=[0.0, 90.0]),
    ]

    def sample(self) -> Sample:
        return grains()


def test_it_shows_what_the_forward_model_does() -> None:
    step = DiffractionProjection(instrument=COARSE, body=POLY.body)
    after = step.apply(grains(), {"omega": 25.0}, default_rng(0))
    plain = ForwardModel(grains_of(grains()), step.crystal, COARSE, POLY.body).project(25.0)
    np.testing.assert_array_equal(after.image[0], plain.image)
    np.testing.assert_array_equal(after.labels, plain.owners > 0)
    assert after.extras[SPOTS].tobytes() == plain.spots.tobytes()
    assert after.extras[OWNERS].dtype == np.int32
    assert 0 < after.labels.mean() < 0.2


def test_presets_are_taken_by_name() -> None:
    step = Step.from_dict({"step": "diffraction_projection", "crystal": "Ni", "instrument": "far-field-iron"})
    assert isinstance(step, DiffractionProjection)
    assert step.crystal.name == "Ni"
    assert step.instrument.geometry.source_to_sample == 100.0
