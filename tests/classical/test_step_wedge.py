"""The baselines on real measurements, where a network has to beat them."""

import numpy as np
import pytest
import tifffile
from scipy.ndimage import median_filter

from beamforge.classical import AnalyticClassifier, GaussianClassifier, tuned
from beamforge.evaluation import MeasuredImage, count_confusions, evaluate_image, paired_difference
from beamforge.simulation import Scenario
from beamforge.simulation.intensities.johnson_field import JohnsonField
from beamforge.simulation.scenes.checkerboard import Checkerboard
from beamforge.stack import as_labels, as_stack, channels_of, classes_of

pytestmark = pytest.mark.slow


def exposure(folder, seconds: int):
    """Transmission of water over open beam and over empty wedges, every frame freed of spots by a 3 x 3 median."""
    frames = {
        name: median_filter(tifffile.imread(folder / f"exp{seconds}s_{name}.tif").astype(np.float32), 3)
        for name in ("dc", "ob", "empty", "h2o")
    }
    water = frames["h2o"] - frames["dc"]
    ratios = [water / (frames[name] - frames["dc"]) for name in ("ob", "empty")]
    return as_stack(np.stack(ratios), [{"mode": "h2o/ob"}, {"mode": "h2o/empty"}])


@pytest.fixture(scope="module")
def wedge(real_data):
    folder = real_data / "neutron" / "step_wedge"
    names = [f"{step / 2:g} mm" for step in range(11)]
    labels = as_labels(tifffile.imread(folder / "labels_water_steps.tif"), names)
    return {seconds: exposure(folder, seconds) for seconds in (20, 60)}, labels


@pytest.mark.parametrize(
    ("train", "judged", "sigma", "expected"),
    # Mean IoU of the first trials on these data.
    [(60, 60, 0.0, 0.908), (60, 60, 4.0, 0.948), (20, 60, 4.0, 0.950), (60, 20, 4.0, 0.923)],
)
def test_first_figures_of_the_gaussian_classifier(wedge, train, judged, sigma, expected) -> None:
    stacks, labels = wedge
    classifier = GaussianClassifier.fit(stacks[train], labels, smoothing_sigma=sigma)
    assert evaluate_image(classifier, stacks[judged], labels).mean_iou.value == pytest.approx(expected, abs=0.0015)


def test_smoothing_chosen_on_correlated_simulation_beats_the_gaussian_classifier(wedge) -> None:
    stacks, labels = wedge
    gaussian = GaussianClassifier.fit(stacks[20], labels, smoothing_sigma=4.0)
    field = JohnsonField.fit(stacks[20], labels, marginal="empirical", correlation="both")
    scenario = Scenario(
        steps=(Checkerboard(classes=11, width=48), field), classes=classes_of(labels), channels=channels_of(stacks[20])
    )
    alone = AnalyticClassifier(field.model)
    together = AnalyticClassifier(field.model, tuned(alone, scenario, seed=1))
    predictors = {"gaussian": gaussian, "alone": alone, "together": together}
    counts = count_confusions(predictors, MeasuredImage(stacks[60], labels))
    assert paired_difference(counts["together"], counts["alone"], "mean_iou").interval[0] > 0
    # Above the best Gaussian's .950, without having seen a pixel of the 60 s exposure.
    assert evaluate_image(together, stacks[60], labels).mean_iou.value > 0.955
    assert paired_difference(counts["together"], counts["gaussian"], "mean_iou").value > 0
