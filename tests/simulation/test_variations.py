import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.simulation.dataset import open_dataset, write_dataset
from beamforge.simulation.variations import Variations
from contracts.small_grains import small_grains

SCENARIO = small_grains()
PARENTS = [SCENARIO(3, index).parameters for index in range(2)]
VARIED = Variations(SCENARIO, PARENTS, spread=0.1)


def test_variations_take_turns_with_their_parents_and_stay_near_them() -> None:
    for number in range(6):
        drawn, parent = VARIED(9, number).parameters["draws"], PARENTS[number % 2]["draws"]
        for key, step in zip(SCENARIO.keys, SCENARIO.steps, strict=True):
            for name, interval in step.intervals().items():
                assert drawn[key][name] in interval
        noise = abs(drawn["grain_greylevels"]["noise"] - parent["grain_greylevels"]["noise"])
        assert 0 < noise <= 0.1 * (60 - 1) + 1e-9
        size = drawn["voronoi_grains"]["diameter"] / parent["voronoi_grains"]["diameter"]
        assert abs(np.log(size)) <= 0.1 * np.log(2) + 1e-9


def test_variations_of_a_parent_differ_in_layout_and_noise() -> None:
    still = Variations(SCENARIO, PARENTS[:1], spread=1e-12)
    first, second = still(9, 0), still(9, 1)
    assert not np.array_equal(first.labels, second.labels)
    assert not np.array_equal(first.image, second.image)


def test_a_variation_depends_on_its_seed_and_number_alone() -> None:
    again = Variations(SCENARIO, PARENTS, spread=0.1)
    numbers = default_rng(0).permutation(5).tolist()
    images = {number: VARIED(9, number).image.tobytes() for number in numbers}
    assert {number: again(9, number).image.tobytes() for number in range(5)} == images
    assert VARIED(10, 0).image.tobytes() != images[0]


def test_stored_variations_replay_under_the_scenario(tmp_path) -> None:
    write_dataset(VARIED, tmp_path / "varied.zarr", 3, 9, progress=False)
    stored = open_dataset(tmp_path / "varied.zarr")
    for number in range(3):
        np.testing.assert_array_equal(stored[number].image, VARIED(9, number).image)
        replayed = stored.scenario.replay(stored.parameters(number))
        np.testing.assert_array_equal(replayed.image, stored[number].image)
        np.testing.assert_array_equal(replayed.labels, stored[number].labels)


def test_other_parents_are_not_mixed_in(tmp_path) -> None:
    write_dataset(VARIED, tmp_path / "varied.zarr", 1, 9, progress=False)
    others = Variations(SCENARIO, PARENTS[:1], spread=0.1)
    with pytest.raises(InputError, match="other settings"):
        write_dataset(others, tmp_path / "varied.zarr", 2, 9, progress=False)


@pytest.mark.parametrize(("parents", "spread", "message"), [([], 0.1, "no sample"), (PARENTS, 1.5, "spread is 1.5")])
def test_what_cannot_be_varied_is_refused(parents, spread, message) -> None:
    with pytest.raises(InputError, match=message):
        Variations(SCENARIO, parents, spread)
