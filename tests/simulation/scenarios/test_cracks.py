from __future__ import annotations

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.io import open_annotated_pictures
from beamforge.simulation import Scenario
from beamforge.simulation.scenarios.cracks import CRACK_CLASSES, cracks, fit_cracks


def test_tiles_are_shares_of_full_scale_and_reproducible() -> None:
    scenario = cracks(tile=64)
    sample = scenario(4, 7)
    assert sample.image.shape == (1, 64, 64)
    assert 0.0 <= sample.image.min() < sample.image.max() <= 1.0
    assert sample.image.tobytes() == scenario(4, 7).image.tobytes()
    assert scenario.replay(sample.parameters).image.tobytes() == sample.image.tobytes()


def test_cracks_are_darker_than_their_surroundings() -> None:
    scenario = cracks(tile=96, probability=1.0)
    darker = []
    for index in range(30):
        sample = scenario(2, index)
        axis = sample.extras["crack_distance"] < 1.0
        around = (sample.extras["crack_distance"] > 6.0) & (sample.extras["crack_distance"] < 12.0)
        if axis.any() and around.any():
            darker.append(float(sample.image[0][axis].mean() / sample.image[0][around].mean()))
    assert np.median(darker) < 0.75


def test_learning_the_scenario_from_real_images(real_data, tmp_path) -> None:
    folder = real_data / "micro" / "magnetic_tile"
    pictures = open_annotated_pictures(
        [str(folder / "MT_Crack" / "exp[3-4]_*.jpg"), str(folder / "MT_Free" / "exp3_*.jpg")],
        CRACK_CLASSES,
        masks="{stem}.png",
    )
    stacks, labels = [p.stack for p in pictures], [p.labels for p in pictures]
    scenario = fit_cracks(stacks, labels, tile=96, rng=default_rng(1))
    scene, _, profile, *_ = scenario.steps
    # Read off the images by hand: dark lines of 2 to 5 px at 50 to 70 % of the brightness around them.
    assert 1.5 < np.median(scene.opening.quantiles) < 5.0
    assert 0.3 < np.median(profile.depth.quantiles) < 0.6
    scenario.save(tmp_path / "cracks")
    again = Scenario.load(tmp_path / "cracks")
    assert again(1, 2).image.tobytes() == scenario(1, 2).image.tobytes()
    means = [scenario(3, index).image.mean() for index in range(30)]
    measured = [float(stack.mean()) for stack in stacks]
    assert np.median(means) == pytest.approx(np.median(measured), rel=0.25)


def test_images_that_are_all_cracked_teach_no_texture(real_data) -> None:
    pictures = open_annotated_pictures(
        str(real_data / "micro" / "magnetic_tile" / "MT_Crack" / "exp1_*.jpg"), CRACK_CLASSES, masks="{stem}.png"
    )
    with pytest.raises(InputError, match="none of the 5 images is free"):
        fit_cracks([p.stack for p in pictures], [p.labels for p in pictures])
