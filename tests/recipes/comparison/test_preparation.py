"""Pre-processing in a comparison: fitted to the training slices, applied to all, and to new volumes."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

import beamforge
from beamforge.errors import InputError
from beamforge.io import open_stack
from beamforge.recipes import load_recipe
from beamforge.recipes.comparison.job import ComparisonJob
from beamforge.recipes.comparison.preparation import load_steps
from beamforge.recipes.stages import Run

RECIPE = """
kind: comparison
name: prepared
data: {kind: slices, images: images, masks: masks, classes: [a, b]}
split: {test: 0.25, validation: 0.25, gap: 0}
preprocessing:
  - {step: unsharp_mask, radius: 1.0}
  - {step: normalise, fit: {}}
networks: [{architectures: [plain_unet]}]
"""


@pytest.fixture
def job(tmp_path: Path) -> ComparisonJob:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for z in range(8):
        labels = (np.indices((16, 18)).sum(axis=0) % 2).astype(np.uint8)
        tifffile.imwrite(tmp_path / "images" / f"s{z}.tif", (100.0 * z + 10 * labels).astype(np.float32))
        tifffile.imwrite(tmp_path / "masks" / f"s{z}.tif", labels)
    (tmp_path / "own.yaml").write_text(RECIPE)
    made = ComparisonJob(load_recipe(tmp_path / "own.yaml"), Run(tmp_path / "run"))
    made.prepare()
    made.split()
    made.fit_preprocessing()
    return made


def test_normalisation_knows_the_training_slices_alone(job: ComparisonJob) -> None:
    train = job.part("train")
    assert train == (0, 1, 2, 3)
    pixels = np.concatenate([job.slices.image(number).ravel() for number in train])
    assert pixels.mean() == pytest.approx(0.0, abs=1e-4)
    assert pixels.std() == pytest.approx(1.0, rel=1e-4)
    assert job.slices.image(7).mean() > 2
    np.testing.assert_array_equal(job.slices.labels(7), job.measured.labels(7))
    assert job.judged is job.slices


def test_a_new_volume_goes_through_the_same_steps(job: ComparisonJob, tmp_path: Path) -> None:
    found = beamforge.prepare(tmp_path / "run" / "preprocessing", tmp_path / "images", tmp_path / "out.zarr")
    stack = open_stack(found)
    assert stack.dtype == np.float32
    for z in (0, 6):
        np.testing.assert_array_equal(stack.values[z], job.slices.image(z)[0])
    with pytest.raises(InputError, match="no fitted steps"):
        load_steps(tmp_path / "images")
