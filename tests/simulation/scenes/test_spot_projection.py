import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.physics.labdct import Geometry, Instrument
from beamforge.simulation.degradations.projection_contrast import SPOTS
from beamforge.simulation.polycrystals.body import Cylinder
from beamforge.simulation.polycrystals.laguerre import Polycrystal
from beamforge.simulation.sample import Sample
from beamforge.simulation.scenes.spot_projection import SpotProjection
from contracts.step import StepContract

SMALL = {
    "polycrystal": Polycrystal(body=Cylinder(diameter=100.0, height=100.0), grains=20, voxels=10.0),
    "instrument": Instrument(geometry=Geometry(shape=(400, 400), pixel_size=16.0)),
    "volumes": 2,
    "angles": 3,
}


class TestSpotProjectionContract(StepContract):
    examples = [SpotProjection(**SMALL, tile=64), SpotProjection(**SMALL, tile=96, centred=1.0, turned=False)]

    def sample(self) -> Sample:
        return Sample.empty()


def test_a_tile_is_a_part_of_the_projection() -> None:
    scene = SpotProjection(**SMALL, tile=64)
    clean, numbers = (part.toarray() for part in scene.projection(1, 2))
    place = {"volume": 1, "angle": 2, "top": 100, "left": 200, "turn": 0}
    sample = scene.apply(Sample.empty(), place, default_rng(0))
    np.testing.assert_array_equal(sample.image[0], clean[100:164, 200:264])
    np.testing.assert_array_equal(sample.extras[SPOTS], numbers[100:164, 200:264])
    np.testing.assert_array_equal(sample.labels, numbers[100:164, 200:264] > 0)
    turned = scene.apply(Sample.empty(), place | {"turn": 5}, default_rng(0))
    np.testing.assert_array_equal(turned.image[0], np.rot90(clean[100:164, 200:264])[:, ::-1])


def test_centred_tiles_hold_spots() -> None:
    scene = SpotProjection(**SMALL, tile=64, centred=1.0)
    for seed in range(10):
        parameters = scene.draw(Sample.empty(), default_rng(seed))
        assert scene.apply(Sample.empty(), parameters, default_rng(0)).labels.any()


def test_volumes_differ_and_names_stand_for_presets() -> None:
    scene = SpotProjection(**SMALL, tile=64)
    assert (scene.projection(0, 0)[0] != scene.projection(1, 0)[0]).nnz > 0
    named = SpotProjection(polycrystal="D35", crystal="Al", instrument="experiment-13-13")
    assert (named.polycrystal.grains, named.crystal.name, named.instrument.geometry.source_to_sample) == (337, "Al", 13)


def test_polycrystals_are_given_the_instruments_in_turn() -> None:
    near = SMALL["instrument"]
    far = Instrument(geometry=Geometry(shape=(300, 300), pixel_size=32.0))
    several = SpotProjection(**SMALL | {"instrument": [near, far]}, tile=64)
    assert several.projection(0, 0)[0].shape == (400, 400)
    assert several.projection(1, 0)[0].shape == (300, 300)
    one = SpotProjection(**SMALL, tile=64)
    np.testing.assert_array_equal(several.projection(0, 1)[0].toarray(), one.projection(0, 1)[0].toarray())
    for seed in range(8):
        parameters = several.draw(Sample.empty(), default_rng(seed))
        assert several.apply(Sample.empty(), parameters, default_rng(0)).image.shape == (1, 64, 64)
    named = SpotProjection(instrument=["simulation-11-11", "experiment-11-30"])
    assert [i.geometry.sample_to_detector for i in named.instruments] == [11.0, 30.0]


def test_a_tile_must_fit_and_every_instrument_have_a_polycrystal() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        SpotProjection(**SMALL, tile=500)
    with pytest.raises(ValueError, match="3 instruments look at 2 polycrystals"):
        SpotProjection(**SMALL | {"instrument": [SMALL["instrument"]] * 3}, tile=64)
    with pytest.raises(ValueError, match="list of instruments is empty"):
        SpotProjection(**SMALL | {"instrument": []}, tile=64)
