"""What every step must do; a test file for a step inherits `StepContract` and names one or more examples."""

from __future__ import annotations

import json
from typing import ClassVar

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.arrays import split_arrays
from beamforge.errors import InputError
from beamforge.simulation import Sample, Scenario, Step, step_names
from beamforge.stack import Channel, Classes


def example_sample(channels: int = 3, size: tuple[int, int] = (40, 48), classes: int = 4) -> Sample:
    """A sample with structure, as a step in the middle of a scenario meets it."""
    rng = default_rng(20)
    labels = rng.integers(0, classes, (size[0] // 8, size[1] // 8)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    labels[:3, :5] = 255
    means = rng.uniform(0.5, 2.0, (channels, 256)).astype(np.float32)
    noise = rng.normal(0, 0.05, (channels, *size)).astype(np.float32)
    return Sample(image=means[:, labels] + noise, labels=labels)


class StepContract:
    """Inherit, set `examples`, and override `sample` if the step needs another kind of input."""

    examples: ClassVar[list[Step]] = []

    def sample(self) -> Sample:
        return example_sample()

    def run(self, step: Step, seed: int = 7) -> Sample:
        before = self.sample()
        parameters = step.draw(before, default_rng(seed))
        return step.apply(before, parameters, default_rng(seed + 1)).replace(parameters=parameters)

    def test_is_registered_under_its_name(self, example: Step) -> None:
        assert example.step_name in step_names()

    def test_same_streams_give_the_same_bytes(self, example: Step) -> None:
        first, second = self.run(example), self.run(example)
        assert first.image.tobytes() == second.image.tobytes()
        assert first.labels.tobytes() == second.labels.tobytes()

    def test_apply_leaves_its_input_alone(self, example: Step) -> None:
        before = self.sample()
        image, labels = before.image.copy(), before.labels.copy()
        example.apply(before, example.draw(before, default_rng(1)), default_rng(2))
        np.testing.assert_array_equal(before.image, image)
        np.testing.assert_array_equal(before.labels, labels)

    def test_shapes_and_types(self, example: Step) -> None:
        after = self.run(example)
        assert after.image.ndim == 3
        assert after.image.dtype == np.float32
        assert after.labels.ndim == 2
        assert after.labels.dtype.kind == "u"
        if after.image.size:
            assert after.image.shape[1:] == after.labels.shape
            assert np.isfinite(after.image).all()

    def test_labels_stay_unless_declared(self, example: Step) -> None:
        if example.changes_labels:
            pytest.skip("declares that it changes labels")
        np.testing.assert_array_equal(self.run(example).labels, self.sample().labels)

    def test_parameters_are_json_or_arrays(self, example: Step) -> None:
        plain, _ = split_arrays(self.run(example).parameters)
        assert json.loads(json.dumps(plain, allow_nan=False)) == plain

    def test_parameters_lie_in_their_intervals(self, example: Step) -> None:
        for seed in range(20):
            parameters = example.draw(self.sample(), default_rng(seed))
            for name, interval in example.intervals().items():
                assert parameters[name] in interval

    def test_vary_stays_in_the_intervals_and_can_be_applied(self, example: Step) -> None:
        before = self.sample()
        parameters = example.draw(before, default_rng(3))
        for spread in (0.0, 0.1, 1.0):
            moved = example.vary(parameters, default_rng(4), spread)
            assert set(moved) == set(parameters)
            for name, interval in example.intervals().items():
                assert moved[name] in interval
            example.apply(before, moved, default_rng(5))

    def test_round_trip_through_files(self, example: Step, tmp_path) -> None:
        example.save(tmp_path / "step")
        again = Step.load(tmp_path / "step")
        assert type(again) is type(example)
        assert self.run(again).image.tobytes() == self.run(example).image.tobytes()
        assert self.run(again).labels.tobytes() == self.run(example).labels.tobytes()

    def test_replay_in_a_scenario(self, example: Step) -> None:
        before = self.sample()

        class Start(Step):
            def apply(self, sample, parameters, rng):
                return before

        scenario = Scenario(steps=(Start(), example), classes=Classes.numbered(4), channels=(Channel(),))
        sample = scenario(5, 9)
        again = scenario.replay(sample.parameters)
        assert again.image.tobytes() == sample.image.tobytes()
        assert again.labels.tobytes() == sample.labels.tobytes()

    def test_an_unknown_setting_is_refused_by_name(self, example: Step) -> None:
        with pytest.raises(InputError, match="no_such_setting"):
            Step.from_dict({"step": example.step_name, "no_such_setting": 1})
