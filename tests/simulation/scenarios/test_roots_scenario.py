import numpy as np

from beamforge.simulation.scenarios.roots import roots


def test_the_scenario_needs_no_data_and_gives_grey_levels_of_three_classes() -> None:
    scenario = roots(tile=64)
    samples = [scenario(1, index) for index in range(12)]
    images, labels = np.stack([s.image for s in samples]), np.stack([s.labels for s in samples])
    assert images.shape == (12, 1, 64, 64)
    assert images.min() >= 0.0
    assert images.max() <= 255.0
    assert (images == np.rint(images)).all()
    assert set(np.unique(labels)) == {0, 1, 2}
    again = scenario.replay(samples[3].parameters)
    assert again.image.tobytes() == samples[3].image.tobytes()


def test_main_roots_are_darker_than_what_surrounds_them() -> None:
    scenario = roots(tile=96)
    darker = []
    for index in range(30):
        sample = scenario(2, index)
        root = sample.extras["root_path"] > 0.3
        if 30 < root.sum() < root.size // 2:
            darker.append(sample.image[0][root].mean() < np.median(sample.image[0][~root]))
    assert np.mean(darker) > 0.75


def test_a_scenario_survives_its_file(tmp_path) -> None:
    scenario = roots(tile=48)
    scenario.save(tmp_path / "roots")
    again = type(scenario).load(tmp_path / "roots")
    assert again(4, 2).image.tobytes() == scenario(4, 2).image.tobytes()
