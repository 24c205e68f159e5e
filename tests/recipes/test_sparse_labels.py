"""The learning curve on a small stack."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter

import beamforge
from beamforge.errors import InputError
from beamforge.recipes import load_recipe
from beamforge.recipes.sparse_labels import PRETRAINED, SCRATCH, Curve, CurveJob, verdict
from beamforge.recipes.stages import Run

RECIPE = """
kind: sparse_labels
name: small
data: {kind: slices, images: images, masks: masks, classes: [matrix, particle]}
test: 0.25
gap: 1
slices: [1, 3]
seeds: [0, 1]
network: {architecture: plain_unet, options: {width: 4, depth: 3}}
training: {epochs: 1, steps_per_epoch: 4, batch: 2, threads: 1, device: cpu, precision: fp32}
pretraining:
  samples: 3
  generator: {steps: [{step: checkerboard}, {step: johnson_field, fit: {correlation: none}}]}
  training: {steps_per_epoch: 5}
  variation: [{step: flip}]
fine_tuning: {training: {learning_rate: 3.0e-4}, measured: 1, simulated: 1}
tile: 24
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sparse")
    field = gaussian_filter(default_rng(0).normal(size=(12, 32, 36)), (1, 3, 3))
    labels = (field > 0.8 * field.std()).astype(np.uint8)
    values = 100.0 + 40.0 * labels + default_rng(1).normal(0, 8, labels.shape)
    for name, stack in (("images", values.astype(np.float32)), ("masks", labels)):
        (place / name).mkdir()
        for z, plane in enumerate(stack):
            tifffile.imwrite(place / name / f"s{z:02}.tif", plane)
    (place / "own.yaml").write_text(RECIPE)
    return place


def test_every_number_of_slices_is_trained_both_ways_and_judged_apart(folder: Path) -> None:
    recipe = load_recipe(folder / "own.yaml")
    outcome = beamforge.run(recipe, folder / "run")
    job = CurveJob(recipe, Run(folder / "run"))
    assert job.parts == (tuple(range(8)), (9, 10, 11))
    assert job.chosen(1) == (4,)
    assert job.chosen(3) == (1, 4, 6)
    assert set(outcome.curve.scores) == {SCRATCH, PRETRAINED}
    assert all(0 < v <= 1 for way in outcome.curve.scores.values() for n in way.values() for v in n.values())
    trained = json.loads((folder / "run" / f"networks/{PRETRAINED}/3 slices/seed 1/model/model.json").read_text())
    assert trained["network"]["weights"].endswith("pretraining/3 slices/seed 1/model/model.safetensors")
    assert "Learning curves" in outcome.report.read_text()
    before = (folder / "run" / "events.jsonl").read_text()
    beamforge.run(recipe, folder / "run")
    assert "started" not in (folder / "run" / "events.jsonl").read_text()[len(before) :]


def test_both_ways_take_as_many_steps(folder: Path) -> None:
    recipe = load_recipe(folder / "own.yaml")
    assert (recipe.first_training.steps_per_epoch, recipe.second_training.steps_per_epoch) == (5, 4)
    assert (recipe.from_scratch.epochs, recipe.from_scratch.steps_per_epoch) == (1, 9)
    # Samples gone through twice in batches of 2, then epochs of the default length.
    changes = ["pretraining.training={epochs: 2}", "training={epochs: 3, batch: 2}"]
    assert load_recipe(folder / "own.yaml", changes).from_scratch.steps_per_epoch == 2 * 2 + 3 * 100


def curve(scratch: list[float], pretrained: list[float]) -> Curve:
    def of(values: list[float]) -> dict[int, dict[int, float]]:
        return {n: {0: value, 1: value} for n, value in zip((1, 2, 4), values, strict=True)}

    return Curve(slices=(1, 2, 4), seeds=(0, 1), scores={SCRATCH: of(scratch), PRETRAINED: of(pretrained)})


def test_the_saving_is_read_off_the_curves() -> None:
    found = curve([0.5, 0.6, 0.7], [0.6, 0.75, 0.8])
    assert (found.needed(4), found.needed(2), found.saving()) == (2, 1, 2.0)
    assert "after simulation 2 do" in verdict(found)
    none = curve([0.5, 0.6, 0.9], [0.6, 0.75, 0.8])
    assert (none.needed(4), none.saving()) == (None, 0.0)
    assert "no number here does" in verdict(none)


def test_bad_settings_are_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="rising numbers"):
        load_recipe(folder / "own.yaml", ["slices=[4, 2]"])
    with pytest.raises(InputError, match="held out"):
        load_recipe(folder / "own.yaml", ["test=0"])
    with pytest.raises(InputError, match="pretraining"):
        load_recipe(folder / "own.yaml", ["pretraining.training.epoch=2"])
    with pytest.raises(InputError, match="50 annotated slices were asked for, 8 do not judge"):
        beamforge.run(load_recipe(folder / "own.yaml", ["slices=[50]"]), folder / "other")
