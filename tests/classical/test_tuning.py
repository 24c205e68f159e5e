import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from beamforge.classical import AnalyticClassifier, tuned
from beamforge.errors import InputError
from beamforge.simulation import Intensity, Scenario
from beamforge.simulation.scenes.checkerboard import Checkerboard
from beamforge.stack import Channel, Classes, as_labels, as_stack
from beamforge.statistics.model import IntensityModel


class Levels(Intensity):
    """Class number plus noise, correlated over some pixels."""

    sigma: float = 0.0

    def apply(self, sample, parameters, rng):
        noise = rng.normal(size=sample.labels.shape)
        if self.sigma:
            noise = gaussian_filter(noise, self.sigma, mode="wrap")
            noise /= noise.std()
        return sample.replace(image=(0.6 * sample.labels + 0.5 * noise)[None].astype(np.float32))


def scenario(sigma: float) -> Scenario:
    steps = (Checkerboard(classes=3, tile=96, width=24), Levels(sigma=sigma))
    return Scenario(steps=steps, classes=Classes.numbered(3), channels=(Channel(),))


def classifier(simulated: Scenario) -> AnalyticClassifier:
    sample = simulated(100, 0)
    return AnalyticClassifier(IntensityModel.fit(as_stack(sample.image), as_labels(sample.labels)))


def error(judge: AnalyticClassifier, simulated: Scenario) -> float:
    samples = [simulated(200, index) for index in range(3)]
    wrong = [(judge.log_probabilities(one.image[None])[0].argmax(axis=0) != one.labels).mean() for one in samples]
    return float(np.mean(wrong))


def test_the_choice_is_the_best_of_all_on_the_simulated_samples() -> None:
    simulated = scenario(0.0)
    plain = classifier(simulated)
    grid = {"strengths": (1.0, 4.0), "sigmas_px": (1.0, 2.0), "temperatures": (1.0, 8.0)}
    chosen = tuned(plain, simulated, seed=3, samples=2, **grid)
    recalls = {}
    for strength in grid["strengths"]:
        for sigma in grid["sigmas_px"]:
            for temperature in grid["temperatures"]:
                field = chosen.model_copy(update={"strength": strength, "sigma_px": sigma, "temperature": temperature})
                pairs = [(AnalyticClassifier(plain.model, field), simulated(3, index)) for index in range(2)]
                guesses = np.stack([one.log_probabilities(s.image[None])[0].argmax(axis=0) for one, s in pairs])
                labels = np.stack([s.labels for _, s in pairs])
                recalls[field] = np.mean([(guesses[labels == k] == k).mean() for k in range(3)])
    assert recalls[chosen] == max(recalls.values())


def test_tuned_smoothing_helps_on_samples_it_has_not_seen() -> None:
    simulated = scenario(0.0)
    plain = classifier(simulated)
    field = tuned(plain, simulated, seed=3, samples=2)
    assert error(AnalyticClassifier(plain.model, field), simulated) < 0.2 * error(plain, simulated)


def test_noise_decides_which_smoothing_is_best() -> None:
    plain = classifier(scenario(0.0))
    fields = {sigma: tuned(plain, scenario(sigma), seed=3) for sigma in (0.0, 2.0)}
    for sigma in fields:
        errors = {other: error(AnalyticClassifier(plain.model, fields[other]), scenario(sigma)) for other in fields}
        assert errors[sigma] == min(errors.values())
        assert errors[sigma] < 0.98 * max(errors.values())


def test_a_scenario_of_other_classes_is_refused() -> None:
    simulated = scenario(0.0)
    other = simulated.model_copy(update={"classes": Classes(names=("air", "water", "glass"))})
    with pytest.raises(InputError, match="water"):
        tuned(classifier(simulated), other, seed=0)
