"""Segmenting a real measurement, the water step wedge, with a classifier fitted on another exposure of it."""

from pathlib import Path

import dask.array as da
import numpy as np
import tifffile

from beamforge.classical import AnalyticClassifier, MeanField
from beamforge.segmentation import segment
from beamforge.stack import IGNORE, as_labels, as_stack
from beamforge.statistics.model import IntensityModel


def transmission(folder: Path, seconds: int) -> np.ndarray:
    """Transmission of the wedges over the open beam, (y, x)."""
    water, beam, dark = (
        tifffile.imread(folder / f"exp{seconds}s_{name}.tif").astype(np.float32) for name in ("h2o", "ob", "dc")
    )
    return (water - dark) / (beam - dark)


def test_tiled_equals_the_whole_measurement(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "neutron" / "step_wedge"
    labels = as_labels(tifffile.imread(folder / "labels_water_steps.tif"))
    fitted = as_stack(transmission(folder, 20), [{"mode": "T", "exposure": 20.0}])
    classifier = AnalyticClassifier(IntensityModel.fit(fitted, labels), MeanField(sigma_px=2.0, iterations=3))
    part = (slice(150, 650), slice(300, 1000))
    image = transmission(folder, 60)[part]
    stack = as_stack(da.from_array(image, chunks=(128, -1)), [{"mode": "T", "exposure": 60.0}], pixel_size=43.99)
    result = segment(classifier, stack, tmp_path / "labels.tif", tile=300, progress=False)
    written = tifffile.imread(result.path)
    whole = classifier.log_probabilities(image[None, None])[0].argmax(axis=0)
    assert (written == whole).mean() >= 0.9999
    truth = labels.values[part]
    judged = truth != IGNORE
    assert (written == truth)[judged].mean() > 0.9
