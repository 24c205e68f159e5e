"""A whole comparison on a small stack, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml
from numpy.random import default_rng
from scipy.ndimage import gaussian_filter

import beamforge
from beamforge.classical.pixels import Filters
from beamforge.errors import InputError
from beamforge.evaluation import Scores, confusion
from beamforge.evaluation.overlap import mean_iou
from beamforge.evaluation.particles import ParticleScores
from beamforge.io.slice_files import open_slice_files
from beamforge.learning import Segmenter
from beamforge.learning.cost import Cost
from beamforge.recipes.comparison.forest import fit_pixel_classifier, lay_out, with_best_prior
from beamforge.recipes.comparison.judging import contiguous_runs, predict_slices
from beamforge.recipes.comparison.recommendation import recommend
from beamforge.recipes.comparison.report import leakage
from beamforge.recipes.comparison.results import ComparisonResult, RunScores

CLASSES = ["matrix", "precipitate", "inclusion"]
RECIPE = """
kind: comparison
name: small
data: {kind: slices, images: images, masks: masks, classes: [matrix, precipitate, inclusion]}
split: {test: 0.2, validation: 0.2, gap: 1}
networks:
  - {architectures: [plain_unet], neighbours: [0, 1], options: {width: 4, depth: 3}}
losses:
  CE + MSE: {loss: weighted_sum, loss_options: {terms: {cross_entropy: 1.0, mean_squared_error: 1.0}}}
seeds: [0, 1]
training: {epochs: 2, steps_per_epoch: 6, batch: 2, threads: 1, device: cpu, precision: fp32, learning_rate: 5.0e-3}
tile: 32
choose_prior: true
random_split: true
target: 0.1
timing: {repeats: 1, threads: 1}
"""


def write_stack(folder: Path, depth: int = 16, size: tuple[int, int] = (44, 40)) -> None:
    """Blobs of two classes that go on from slice to slice, 16-bit, of a size no network takes as it is."""
    field = gaussian_filter(default_rng(3).normal(size=(2, depth, *size)), (0, 2, 4, 4))
    first, second = field / field.std(axis=(1, 2, 3), keepdims=True)
    labels = np.where(second > 1.2, 2, np.where(first > 0.8, 1, 0)).astype(np.uint8)
    values = 30000 + 3000.0 * labels + default_rng(4).normal(0, 500, labels.shape)
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for z in range(depth):
        tifffile.imwrite(folder / "images" / f"slice{z:03}.tif", values[z].astype(np.uint16))
        tifffile.imwrite(folder / "masks" / f"slice{z:03}.tif", labels[z])


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("comparison")
    write_stack(folder)
    (folder / "own.yaml").write_text(RECIPE)
    return folder, beamforge.compare(folder / "own.yaml", folder / "run")


def test_every_network_and_seed_is_in_the_table_with_its_account(finished) -> None:
    _, outcome = finished
    names = ["plain_unet, CE + MSE", "plain_unet ±1, CE + MSE"]
    assert list(outcome.result.networks) == names
    assert list(outcome.result.classical) == ["random_forest"]
    assert outcome.result.seeds == (0, 1)
    plain, with_neighbours = (outcome.result.costs[name] for name in names)
    # The first layer, 3x3 with 4 channels, sees three slices instead of one.
    assert with_neighbours.parameters - plain.parameters == 2 * 4 * 9
    assert plain.size == (44, 40)
    assert plain.train_bytes > plain.predict_bytes > 0
    assert outcome.recommendation.row in names
    assert outcome.table().row_count == 3


def test_scores_are_those_of_the_predicted_slices(finished) -> None:
    folder, outcome = finished
    slices = open_slice_files(folder / "images", folder / "masks", classes=CLASSES)
    split = json.loads((folder / "run" / "split" / "split.json").read_text())
    assert split["blocks"] == {"train": [*range(6)], "validation": [7, 8, 9, 10], "test": [12, 13, 14, 15]}
    place = folder / "run" / "judged" / "plain_unet, CE + MSE" / "seed 0"
    found = np.stack([tifffile.imread(place / "labels" / f"{z:05}.tif") for z in split["blocks"]["test"]])
    truth = np.stack([slices.labels(z) for z in split["blocks"]["test"]])
    run = outcome.result.networks["plain_unet, CE + MSE"][0]
    ious = [((found == c) & (truth == c)).sum() / ((found == c) | (truth == c)).sum() for c in range(3)]
    assert run.scores.mean_iou.value == pytest.approx(np.mean(ious), abs=1e-9)
    assert run.figures(0)["mean IoU without background"] == pytest.approx(np.mean(ious[1:]), abs=1e-9)


def test_the_account_of_time_follows_the_log(finished) -> None:
    folder, outcome = finished
    run = outcome.result.networks["plain_unet, CE + MSE"][0]
    lines = (folder / "run" / "networks" / "plain_unet, CE + MSE" / "seed 0" / "events.jsonl").read_text()
    events = [json.loads(line) for line in lines.splitlines()]
    assert run.train_seconds == events[-1]["seconds"]
    reached = [event["seconds"] for event in events if event["validation"]["validation"]["miou"] >= 0.1]
    assert run.target_seconds == (reached[0] if reached else None)


def test_the_report_tells_the_leak_and_a_second_call_repeats_nothing(finished) -> None:
    folder, outcome = finished
    page = outcome.report.read_text()
    assert "What a random split would have claimed" in page
    assert list(outcome.result.random_split) == [0]
    leak = outcome.result.random_split[0].scores.mean_iou.value
    leak -= outcome.result.networks["plain_unet, CE + MSE"][0].scores.mean_iou.value
    assert leakage(outcome.result, "plain_unet, CE + MSE") == pytest.approx(leak)
    before = (folder / "run" / "events.jsonl").read_text()
    again = beamforge.compare(folder / "own.yaml", folder / "run")
    new = (folder / "run" / "events.jsonl").read_text()[len(before) :]
    assert "started" not in new
    assert again.scores() == outcome.scores()
    assert beamforge.report(folder / "run") == outcome.report


def test_a_model_that_sees_neighbours_segments_the_volume_as_it_was_judged(finished) -> None:
    folder, _ = finished
    row = "plain_unet ±1, CE + MSE"
    model = folder / "run" / "networks" / row / "seed 0" / "model"
    found = beamforge.segment(model, folder / "images", folder / "labels.tif")
    labels = tifffile.imread(found.path)
    assert labels.shape == (16, 44, 40)
    judged = tifffile.imread(folder / "run" / "judged" / row / "seed 0" / "labels" / "00014.tif")
    assert (labels[14] == judged).mean() > 0.995
    assert [c.numbers["slice"] for c in Segmenter.load(model).channels] == [-1.0, 0.0, 1.0]


def test_a_network_at_lower_resolution_learns_from_varied_tiles(tmp_path) -> None:
    write_stack(tmp_path, depth=8)
    recipe = yaml.safe_load(RECIPE) | {"seeds": [0], "classical": [], "random_split": False, "losses": {}}
    recipe["networks"][0] |= {"neighbours": [0], "shrink": [1, 2]}
    recipe["augmentation"] = [{"step": "tone", "brightness": {"low": 3, "high": 3}, "contrast": {"low": 1, "high": 1}}]
    recipe["training"] |= {"epochs": 1, "scaling": "standard"}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(recipe))
    outcome = beamforge.compare(tmp_path / "own.yaml", tmp_path / "run")
    assert list(outcome.result.networks) == ["plain_unet", "plain_unet ÷2"]
    full, half = (outcome.result.costs[name].macs for name in outcome.result.networks)
    assert half < full / 2
    trained = Segmenter.load(tmp_path / "run" / "networks" / "plain_unet ÷2" / "seed 0" / "model")
    assert trained.description.network.shrink == 2
    # Every tile became brighter by three of its standard deviations, and that is what the scaling was fitted to.
    values = np.stack([tifffile.imread(file) for file in sorted((tmp_path / "images").glob("*.tif"))])
    found = trained.description.scaling
    assert (found.offset[0] - values.mean()) / found.scale[0] == pytest.approx(3, abs=0.4)


def test_slices_laid_out_for_a_classifier_do_not_see_each_other(finished) -> None:
    folder, _ = finished
    slices = open_slice_files(folder / "images", folder / "masks", classes=CLASSES)
    filters = Filters()
    features = []
    for other in (3, 5):
        stack, labels = lay_out(slices, [other, 4], filters.halo)
        assert (labels.values != 255).sum() == 2 * 44 * 40
        top, left = 44 + 3 * filters.halo, filters.halo
        features.append(filters(stack.values)[:, top : top + 44, left : left + 40])
    np.testing.assert_array_equal(*features)
    np.testing.assert_array_equal(features[0][0], slices.image(4)[0])


def test_the_validation_slices_weigh_the_classes_of_every_row(finished) -> None:
    folder, outcome = finished
    rows = [folder / "run" / "networks" / name for name in outcome.result.networks]
    models = [
        json.loads((row / f"seed {seed}" / "model" / "model.json").read_text()) for row in rows for seed in (0, 1)
    ]
    for model in models:
        assert abs(sum(model["prior"]) - 1) < 1e-12
    assert any(max(model["prior"]) > min(model["prior"]) for model in models)
    assert "weight of each class" in outcome.report.read_text()


def test_a_classifier_gets_the_prior_that_does_best_on_other_slices(finished) -> None:
    folder, _ = finished
    slices = open_slice_files(folder / "images", folder / "masks", classes=CLASSES)
    fitted = fit_pixel_classifier(slices, [0, 1, 2], "lda", default_rng(0), pixels_per_class=200)
    assert fitted.prior is None
    chosen = with_best_prior(fitted, slices, [0, 1, 2], [8])

    def score(classifier) -> float:
        found = predict_slices(classifier, slices, [8], 0).labels[8]
        return float(mean_iou(confusion(slices.labels(8), found, 3)))

    assert score(chosen) >= score(fitted)
    counts = slices.class_counts()[:3].sum(axis=0)
    for power in (0.5, 1.0):
        prior = tuple(counts**power / (counts**power).sum())
        assert score(chosen) >= score(fitted.model_copy(update={"prior": prior}))


def test_runs_of_slices_end_at_gaps_and_volumes(finished) -> None:
    folder, _ = finished
    slices = open_slice_files(folder / "images", folder / "masks", classes=CLASSES)
    assert contiguous_runs(slices, [1, 2, 3, 6, 7]) == [[1, 2, 3], [6, 7]]
    slices.ordered = False
    assert contiguous_runs(slices, [1, 2]) == [[1], [2]]


def made_up(ious: dict[str, list[float]], seconds: dict[str, float]) -> ComparisonResult:
    """A result with these scores of each seed and these times per slice."""

    def run(value: float) -> RunScores:
        # Of 1000 px in either class, `wrong` are exchanged: IoU = (1000 - wrong) / (1000 + wrong).
        wrong = round(1000 * (1 - value) / (1 + value))
        counts = np.array([[[1000 - wrong, wrong], [wrong, 1000 - wrong]]])
        particles = ParticleScores(count=(0,) * 5, found=(0,) * 5, right=(0,) * 5)
        return RunScores(
            scores=Scores.from_confusions(counts, ("a", "b")), particles=particles, train_seconds=1, predict_seconds=1
        )

    runs = {row: {seed: run(value) for seed, value in enumerate(values)} for row, values in ious.items()}
    common = {"parameters": 1, "macs": 1, "size": (8, 8), "batch": 1, "predict_bytes": 1, "train_bytes": 1}
    common |= {"train_tile": 8, "train_batch": 1, "threads": 1, "device": "cpu"}
    return ComparisonResult(
        classes=("a", "b"), background=0, target=0.5, random_split={}, slices={},
        classical={row: runs[row] for row in ious if row not in seconds},
        networks={row: runs[row] for row in seconds},
        costs={row: Cost(predict_seconds=time, **common) for row, time in seconds.items()},
    )  # fmt: skip


def test_the_fastest_of_those_close_to_the_best_is_recommended() -> None:
    ious = {"best": [0.80, 0.84, 0.82], "close": [0.83, 0.80, 0.815], "worse": [0.70, 0.74, 0.71]}
    chosen = recommend(made_up(ious, {"best": 2.0, "close": 0.5, "worse": 0.1}))
    assert chosen.row == "close"
    assert "4 times faster" in chosen.reason
    assert recommend(made_up(ious, {"best": 2.0, "close": 1.5, "worse": 0.1})).row == "best"
    chosen = recommend(made_up(ious, {"best": 0.4, "close": 0.5, "worse": 0.1}))
    assert chosen.row == "best"
    assert "over 3 seeds" in chosen.reason
    assert "do not tell it from close (0.815)" in chosen.reason
    assert "worse" not in chosen.reason


def test_a_classifier_that_does_as_well_is_advised_instead() -> None:
    networks = {"one": [0.60, 0.64], "other": [0.50, 0.53]}
    forests = {"forest": [0.70, 0.71], "trees": [0.65, 0.66]}
    chosen = recommend(made_up(networks | forests, {"one": 1.0, "other": 1.0}))
    assert chosen.row == "one"
    assert chosen.reason.endswith("forest needs no network and reaches 0.705: take that instead.")
    weak = {"forest": [0.42, 0.46]}
    assert "forest" not in recommend(made_up(networks | weak, {"one": 1.0, "other": 1.0})).reason


def test_a_classifier_that_the_seeds_do_not_tell_from_the_network_is_named() -> None:
    ious = {"one": [0.64, 0.60], "forest": [0.60, 0.61]}
    reason = recommend(made_up(ious, {"one": 1.0})).reason
    assert reason.endswith("forest needs no network and reaches 0.605, which these seeds do not tell from it.")
    assert "forest" not in recommend(made_up({row: values[:1] for row, values in ious.items()}, {"one": 1.0})).reason


def test_a_fast_network_that_scatters_is_not_taken_for_a_good_one() -> None:
    """The interval of the difference reaches 0 because one seed failed, not because the networks are alike."""
    ious = {"steady": [0.81, 0.83, 0.81], "scattering": [0.62, 0.85, 0.85]}
    chosen = recommend(made_up(ious, {"steady": 1.0, "scattering": 0.9}))
    assert chosen.row == "steady"
    assert "do not tell it from scattering" in chosen.reason


def refuse(folder: Path, message: str, *changes: str) -> None:
    with pytest.raises(InputError, match=message):
        beamforge.compare(folder / "own.yaml", folder / "other", changes=changes)


def test_bad_settings_are_refused(finished) -> None:
    folder, _ = finished
    refuse(folder, "networks see 1 neighbouring slices but split.gap is 0", "split.gap=0")
    refuse(folder, "'matrixx'; did you mean 'matrix'", "background=matrixx")
    refuse(folder, "no architecture|did you mean 'unet'", "networks.0.architectures=[unett]")
    refuse(folder, "nothing would be judged", "split.test=0")
    refuse(folder, "leave nothing to", "split.gap=9")
    refuse(folder, "did you mean 'tone'", "augmentation=[{step: tones}]")
    refuse(folder, "loudness", "augmentation=[{step: tone, loudness: 1}]")
    refuse(folder, "shrink", "networks.0.shrink=[0]")
    with pytest.raises(InputError, match="kind 'measurement', expected 'comparison'"):
        beamforge.compare("infer-demo", folder / "other")
