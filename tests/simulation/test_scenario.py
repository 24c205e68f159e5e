"""A scenario is a function of seed and index, and its record is enough to simulate again, vary and store."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import Generator, SeedSequence, default_rng

from beamforge.errors import InputError
from beamforge.simulation import Parameters, Sample, Scenario, Step, step_class, step_names
from beamforge.simulation.scenes.checkerboard import Checkerboard
from beamforge.stack import Channel, Classes
from contracts.steps_for_tests import Drift, LabelNoise

SEEDS = st.integers(0, 2**63)
INDICES = st.integers(0, 2**31)


def scenario(*more: Step) -> Scenario:
    return Scenario(
        name="drifting",
        steps=(Checkerboard(classes=3, tile=12), LabelNoise(channels=2), Drift(), Drift(gain=[1.0, 4.0]), *more),
        classes=Classes(names=("water", "quartz", "air"), colours=("#000000", "#ff0000", "#00ff00")),
        channels=(Channel(mode="H0", autocorrelation_length=120.0), Channel(mode="DF")),
        pixel_size=48.0,
    )


def draws(sample: Sample) -> dict[str, Parameters]:
    return sample.parameters["draws"]


def assert_same(first: Sample, second: Sample) -> None:
    assert first.image.tobytes() == second.image.tobytes()
    assert first.labels.tobytes() == second.labels.tobytes()


@given(SEEDS, INDICES)
def test_seed_and_index_decide_alone(seed: int, index: int) -> None:
    first = scenario()(seed, index)
    scenario()(seed + 1, index)
    assert_same(first, scenario()(seed, index))


@given(SEEDS, INDICES, SEEDS, INDICES)
def test_other_numbers_give_another_sample(seed: int, index: int, other_seed: int, other_index: int) -> None:
    if (seed, index) != (other_seed, other_index):
        assert scenario()(seed, index).image.tobytes() != scenario()(other_seed, other_index).image.tobytes()


def test_streams_are_the_documented_ones() -> None:
    class Recorder(Step):
        def draw(self, sample: Sample, rng: Generator) -> Parameters:
            return {"drawn": rng.random()}

        def apply(self, sample: Sample, parameters: Parameters, rng: Generator) -> Sample:
            return sample.replace(image=np.append(sample.image, rng.random()).reshape(1, 1, -1))

    steps = (Recorder(), Recorder())
    sample = Scenario(steps=steps, classes=Classes.numbered(1), channels=(Channel(),))(3, 14)
    for number, stream in enumerate(SeedSequence([3, 14]).spawn(2)):
        for_draw, for_apply = stream.spawn(2)
        assert list(draws(sample).values())[number]["drawn"] == default_rng(for_draw).random()
        assert sample.image[0, 0, number] == default_rng(for_apply).random()


def test_a_changed_step_leaves_the_draws_of_the_others() -> None:
    plain, changed = scenario()(1, 2), scenario().model_copy(update={"steps": (*scenario().steps[:3], Drift())})(1, 2)
    for key in ("checkerboard", "drift_for_tests"):
        assert draws(plain)[key] == draws(changed)[key]
    np.testing.assert_array_equal(plain.labels, changed.labels)


def test_steps_of_a_kind_have_keys_of_their_own() -> None:
    assert scenario().keys == ("checkerboard", "label_noise_for_tests", "drift_for_tests", "drift_for_tests_2")
    first, second = draws(scenario()(0, 0))["drift_for_tests"], draws(scenario()(0, 0))["drift_for_tests_2"]
    assert first["offset"] != second["offset"]
    assert 1.0 <= second["gain"] <= 4.0


@given(SEEDS, INDICES)
def test_replay_gives_the_sample_again(seed: int, index: int) -> None:
    sample = scenario()(seed, index)
    again = scenario().replay(sample.parameters)
    assert_same(sample, again)
    assert again.parameters is not sample.parameters
    assert draws(again) == draws(sample)


def test_replay_with_another_seed_keeps_the_parameters_and_changes_the_noise() -> None:
    sample = scenario()(5, 6)
    other = scenario().replay(sample.parameters, seed=7)
    assert draws(other) == draws(sample)
    np.testing.assert_array_equal(other.labels, sample.labels)
    noise, other_noise = (item.extras["noise"] for item in (sample, other))
    assert np.corrcoef(noise.ravel(), other_noise.ravel())[0, 1] < 0.3


@given(SEEDS, st.floats(0, 1), SEEDS)
def test_varied_parameters_stay_inside_and_only_they_change(seed: int, spread: float, moves: int) -> None:
    sample = scenario()(seed, 0)
    varied = scenario().vary(sample.parameters, default_rng(moves), spread)
    assert varied["draws"]["checkerboard"] == draws(sample)["checkerboard"]
    for key, step in zip(scenario().keys, scenario().steps, strict=True):
        for name, interval in step.intervals().items():
            assert varied["draws"][key][name] in interval
    replayed = scenario().replay(varied)
    np.testing.assert_array_equal(replayed.labels, sample.labels)
    assert draws(replayed) == varied["draws"]


def test_vary_has_no_side_effects_and_spread_zero_changes_nothing() -> None:
    sample = scenario()(8, 0)
    before = {key: dict(values) for key, values in draws(sample).items()}
    scenario().vary(sample.parameters, default_rng(0), 1.0)
    assert {key: list(values.items()) for key, values in draws(sample).items()} == {
        key: list(values.items()) for key, values in before.items()
    }
    same = scenario().replay(scenario().vary(sample.parameters, default_rng(0), 0.0))
    np.testing.assert_allclose(same.image, sample.image, rtol=1e-6)


@pytest.mark.parametrize("spread", [-0.1, 1.1, float("nan")])
def test_a_spread_beyond_the_interval_is_refused(spread: float) -> None:
    with pytest.raises(InputError, match="expected a fraction from 0 to 1"):
        scenario().vary(scenario()(0, 0).parameters, default_rng(0), spread)


@given(st.integers(1, 9), st.integers(8, 40), SEEDS)
def test_saved_and_loaded_it_simulates_the_same(
    tmp_path_factory: pytest.TempPathFactory, classes: int, tile: int, seed: int
) -> None:
    path = tmp_path_factory.mktemp("scenario") / "saved"
    mine = scenario().model_copy(
        update={"steps": (Checkerboard(classes=classes, tile=tile), *scenario().steps[1:])},
    )
    mine.save(path)
    loaded = Scenario.load(path)
    assert loaded == mine
    assert_same(loaded(seed, 1), mine(seed, 1))


def test_a_scenario_can_be_written_by_hand() -> None:
    config: dict[str, Any] = {
        "steps": [
            {"step": "checkerboard", "classes": 2, "tile": 16},
            {"step": "label_noise_for_tests", "channels": 1, "level": [0.0, 0.5]},
        ],
        "classes": {"names": ["a", "b"]},
        "channels": [{"mode": "T"}],
    }
    assert Scenario.from_dict(config)(0, 0).image.shape == (1, 16, 16)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": [{"step": "checkerbord"}]}, "unknown step 'checkerbord'; did you mean 'checkerboard'"),
        ({"steps": [{"step": "checkerboard", "clases": 2}]}, "'clases'; did you mean 'classes'"),
        (
            {"steps": [{"step": "checkerboard", "classes": 0}]},
            "step 'checkerboard': classes: .*greater than or equal to 1",
        ),
        ({"steps": [{"step": "drift_for_tests", "gain": [0, 1]}]}, "gain: a logarithmic interval starts above 0"),
        ({"stepps": []}, "stepps: Extra inputs"),
        ({"classes": {"names": ["a", "a"]}}, "classes: class names repeat"),
        ({"channels": 3}, "scenario: channels"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], message: str) -> None:
    config = {"steps": [], "classes": {"names": ["a"]}, "channels": [{"mode": "T"}], **change}
    with pytest.raises(InputError, match=message):
        Scenario.from_dict(config)


def test_parameters_of_another_scenario_are_refused() -> None:
    other = scenario(Drift())
    with pytest.raises(InputError, match=r"the parameters are of the steps .*this scenario has"):
        other.replay(scenario()(0, 0).parameters)


def test_a_damaged_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        Scenario.load(tmp_path)
    (tmp_path / "config.json").write_text('{"image": {"array": "image"}}')
    with pytest.raises(InputError, match=r"arrays\.safetensors lacks the array 'image'"):
        Scenario.load(tmp_path)
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(InputError, match="does not describe"):
        Scenario.load(tmp_path)


def test_a_loaded_step_must_be_of_the_kind_asked_for(tmp_path: Path) -> None:
    Drift().save(tmp_path / "step")
    assert Step.load(tmp_path / "step") == Drift()
    with pytest.raises(InputError, match="holds the step 'drift_for_tests', expected checkerboard"):
        Checkerboard.load(tmp_path / "step")


def test_two_steps_cannot_share_a_name() -> None:
    with pytest.raises(TypeError, match="two steps are named 'drift_for_tests'"):
        type("Impostor", (Step,), {"__module__": "elsewhere"}, name="drift_for_tests")
    assert step_class("drift_for_tests") is Drift
    assert "checkerboard" in step_names()
