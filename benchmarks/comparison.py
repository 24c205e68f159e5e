"""Networks, random forests and plain U-Nets on annotated slices of four real data sets and the simulated micropillar.

Usage: python benchmarks/comparison.py stem|xlearn|super1|ebc2|micropillar [--run FOLDER]

Runs the shipped recipe ``compare_NAME`` or ``micropillar`` (finished stages are skipped, so that it may be run in
pieces) and records its claims. The test slices are those of the recipe: nothing was chosen on them.
"""

import argparse
import itertools
import os
from pathlib import Path

import numpy as np
import tifffile
from scipy.ndimage import gaussian_filter

import beamforge
from beamforge.classical.pixels import PixelClassifier
from beamforge.evaluation import confusion
from beamforge.evaluation.overlap import iou
from beamforge.files import read_json
from beamforge.learning import Segmenter
from beamforge.predictor import Predictor
from beamforge.recipes import load_recipe
from beamforge.recipes.comparison.judging import contiguous_runs, judge, predict_slices
from beamforge.recipes.comparison.outcome import ComparisonOutcome
from beamforge.recipes.comparison.report import leakage
from beamforge.recipes.comparison.results import VoteScores
from beamforge.recipes.stages import Run
from beamforge.reporting.claims import record
from beamforge.reporting.numbers import format_value

XLEARN_PARTS = {"1_train": (0.0, 0.55), "2_validation": (0.57, 0.70), "3_test": (0.72, 1.0)}
"""Rows of the single annotated slice, as shares of its height, with some left out between the parts."""
XLEARN_LEVELS = (8220, 20184, 39211, 51833)
LOOKS = {
    "xlearn": "judged once",
    "super1": "judged twice with the same settings; between, the forest got the prior that does best in validation",
    "ebc2": (
        "scored twice and its pictures looked at once; between, the networks got half the resolution, tiles of most of "
        "a micrograph, steps that vary them, a weighted loss and more steps, chosen on the four other micrographs"
    ),
    "stem": "judged four times, the last one with this longer training and class weights, which were chosen on "
    "validation slices; before, 300 steps reached 0.847, 0.738 and 0.854",
}
"""How often the test part was looked at, and what was changed after a look."""
VOTED = 20
"""Slices of the pillar on which the vote is judged."""
COPIES = 0.7
"""Correlation of the fine structure, that is of the noise, from which two slices count as copies of one another."""
PUBLISHED_STEM = {"published U-Net, its own random split, mean IoU": 0.882, "published, platinum": 0.732}


def cut_xlearn(folder: Path) -> None:
    """Cut the only annotated slice into parts along y, as separate images; those of an earlier call are kept."""
    if (folder / "masks" / "3_test.tif").exists():
        return
    source = Path(os.environ["BEAMFORGE_DATA"]) / "micro" / "xlearn_seg"
    for name, file in (("images", "train_input.tif"), ("masks", "train_output.tif")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        whole = tifffile.imread(source / file)
        for part, (first, last) in XLEARN_PARTS.items():
            rows = slice(round(first * len(whole)), round(last * len(whole)))
            tifffile.imwrite(folder / name / f"{part}.tif", whole[rows] if name == "images" else nearest(whole[rows]))


def nearest(mask: np.ndarray) -> np.ndarray:
    """Round grey levels, which the file has blurred a little, to the four that stand for the classes."""
    distance = np.abs(mask.astype(np.int64)[..., None] - np.array(XLEARN_LEVELS))
    return np.array(XLEARN_LEVELS, dtype=np.uint16)[distance.argmin(axis=-1)]


def compare(name: str, folder: Path) -> tuple[ComparisonOutcome, float]:
    """Run the recipe, and add up what all its stages took, also in earlier calls."""
    changes = []
    if name == "xlearn":
        cut_xlearn(folder / "parts")
        changes = [f"folder={folder / 'parts'}"]
    outcome = beamforge.compare(name if name == "micropillar" else f"compare_{name}", folder, changes=changes)
    stages = Run(folder)
    stages.recall()
    return outcome, sum(stages.seconds.values())


def agreement_of_copies(folder: Path) -> dict[str, float]:
    """Give the IoU of the masks of neighbouring slices that show the same down to the noise.

    It is how far the annotation agrees with itself, from the slices to learn from and to choose by alone.
    """
    recipe = load_recipe("compare_stem")
    slices = recipe.data.open(recipe.places, folder / "data" / "data")
    parts = read_json(folder / "split" / "split.json")["blocks"]
    total, pairs = np.zeros((len(slices.classes), len(slices.classes)), dtype=np.int64), 0
    for run in contiguous_runs(slices, [*parts["train"], *parts["validation"]]):
        for one, other in itertools.pairwise(run):
            fine = [slices.image(n)[0] - gaussian_filter(slices.image(n)[0], 2) for n in (one, other)]
            if np.corrcoef(fine[0].ravel(), fine[1].ravel())[0, 1] > COPIES:
                total += confusion(slices.labels(one), slices.labels(other), len(slices.classes))
                pairs += 1
    each = dict(zip(slices.classes.names, iou(total), strict=True))
    return {"pairs": pairs, "mean IoU": float(np.mean(list(each.values()))), **each}


def others(outcome: ComparisonOutcome, figure: str, row: str) -> dict[str, float]:
    return {
        f"ours, {other}": round(value, 4)
        for other in outcome.result.rows
        if other != row and (value := outcome.result.mean(other, figure)) is not None
    }


def paired(outcome: ComparisonOutcome, figure: str, row: str) -> str:
    """Say by how much a row lies above each other one, seed by seed."""
    repeats, told = outcome.result.repeats(figure), []
    for other in repeats.rows:
        if other != row:
            one = repeats.compare(row, other)
            wins = f"above in {one.wins * one.count:g} of {one.count} seeds"
            told.append(f"minus {other} {format_value(one.difference, one.t_interval)}, {wins}")
    return "; ".join(told)


def claim(id: str, text: str, outcome: ComparisonOutcome, figure: str, seconds: float, **more: object) -> None:
    """Record the figure of the first network, mean over the seeds."""
    row = next(iter(outcome.result.networks))
    repeats = outcome.result.repeats(figure)
    summary = repeats.summary(row)
    slices = ", ".join(f"{count} {part}" for part, count in outcome.result.slices.items())
    note = f"{row}; {len(outcome.result.seeds)} seeds, 95 % interval by t over them; slices: {slices}"
    name = outcome.name.removeprefix("compare_")
    note = "; ".join([note, paired(outcome, figure, row), f"test part {LOOKS[name]}"])
    record(
        id, text, summary.mean, interval=summary.t_interval, unit="1",
        command=f"python benchmarks/comparison.py {name}", seconds=seconds, note=note, **more,
    )  # fmt: skip


def claim_table(name: str, outcome: ComparisonOutcome, seconds: float) -> None:
    """Record the recommended network with all rows beside it."""
    result, row = outcome.result, outcome.recommendation.row
    summary = result.repeats("mean IoU").summary(row)
    beside = {f"{other}, mean IoU": round(result.mean(other, "mean IoU"), 4) for other in result.rows if other != row}
    for other, cost in result.costs.items():
        beside[f"{other}, s/slice"] = round(cost.predict_seconds, 3)
        beside[f"{other}, training s"] = round(result.mean(other, "training s"), 1)
        beside[f"{other}, training memory MiB"] = round(cost.train_bytes / 2**20)
    if result.random_split:
        beside["leak of a random split, mean IoU"] = round(leakage(result, next(iter(result.networks))), 4)
    record(
        f"compare-table-{name}", f"mean IoU of the recommended network on {name}: {row}", summary.mean,
        interval=summary.t_interval, unit="1", command=f"python benchmarks/comparison.py {name}", seconds=seconds,
        peer=beside, note=outcome.recommendation.reason,
    )  # fmt: skip


def votes_on_another_pillar(folder: Path) -> dict[str, dict[int, VoteScores]]:
    """Let all networks and classifiers of the run predict a pillar that nothing was trained or chosen on."""
    recipe = load_recipe("micropillar")
    place = folder / "another_pillar"
    if not (place / "labels.zarr").exists():
        recipe.data.prepare(place, recipe.seed + 1)
    slices = recipe.data.open(recipe.places, place)
    middle = len(slices) // 2
    numbers = range(middle - VOTED // 2, middle + VOTED // 2)

    def vote(predictor: Predictor, reach: int) -> VoteScores:
        return judge(slices, predict_slices(predictor, slices, numbers, reach), 0, train_seconds=0.0).vote

    found = {
        row.name: {
            seed: vote(Segmenter.load(folder / "networks" / row.name / f"seed {seed}" / "model"), row.neighbours)
            for seed in recipe.seeds
        }
        for row in recipe.rows
    }
    for method in recipe.classical:
        places = {seed: folder / "judged" / method / f"seed {seed}" / "classifier.json" for seed in recipe.seeds}
        found[method] = {seed: vote(PixelClassifier.load(file), 0) for seed, file in places.items()}
    return found


def claim_vote(folder: Path, seconds: float) -> None:
    """Record what the vote over slices changes, for all networks, classical rows and seeds."""
    votes = votes_on_another_pillar(folder)
    every = [vote for runs in votes.values() for vote in runs.values()]
    gains = {
        row: float(np.mean([vote.voted_class_accuracy - vote.class_accuracy for vote in runs.values()]))
        for row, runs in votes.items()
    }
    risen = sum(vote.voted_class_accuracy > vote.class_accuracy for vote in every)
    fallen = sum(vote.voted_class_accuracy < vote.class_accuracy for vote in every)
    losses = [vote.mean_iou - vote.voted_mean_iou for vote in every]
    common = {"command": "python benchmarks/comparison.py micropillar", "seconds": seconds, "unit": "1"}
    note = (
        f"{VOTED} slices of a second simulated pillar; the rule of the vote was settled on the first. "
        f"{len(every)} predictions by {len(votes)} rows: class accuracy rises in {risen} and falls in {fallen}"
    )
    record(
        "consistency-vote",
        "least gain of any row in class accuracy of particle sections by the vote over slices, mean over seeds",
        min(gains.values()), target="> 0", note=note,
        peer={f"{row}, gain": round(gain, 4) for row, gain in gains.items()}, **common,
    )  # fmt: skip
    record(
        "consistency-vote-miou", "largest loss in mean IoU by the vote over slices, of all rows and seeds", max(losses),
        target="<= 0.002", note=note, **common,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["stem", "xlearn", "super1", "ebc2", "micropillar"])
    parser.add_argument("--run", type=Path)
    options = parser.parse_args()
    folder = options.run or Path("runs") / f"compare_{options.name}"
    outcome, seconds = compare(options.name, folder)
    result, row = outcome.result, next(iter(outcome.result.networks))
    for name, figures in outcome.scores().items():
        print(name, {figure: round(value, 4) for figure, value in figures.items()})
    print(outcome.recommendation.reason)
    claim_table(options.name, outcome, seconds)
    if options.name == "micropillar":
        claim_vote(folder, seconds)
        return
    if options.name == "stem":
        beside = {**PUBLISHED_STEM, **others(outcome, "mean IoU", row)}
        under_random = [run.scores.mean_iou.value for run in result.random_split.values()]
        beside[f"ours under a random split, which leaks, {len(under_random)} seed"] = round(
            float(np.mean(under_random)), 4
        )
        platinum = [{c.name: c.iou.value for c in run.scores.per_class} for run in result.random_split.values()]
        of_platinum = {**PUBLISHED_STEM, **others(outcome, "IoU platinum", row)}
        of_platinum[f"ours under a random split, {len(platinum)} seed"] = round(
            float(np.mean([p["platinum"] for p in platinum])), 4
        )
        agreed = agreement_of_copies(folder)
        same = f"one mask by the other, {agreed['pairs']} pairs of slices that are copies down to the noise"
        beside[f"{same}, mean IoU"] = round(agreed["mean IoU"], 4)
        of_platinum[f"{same}, platinum"] = round(agreed["platinum"], 4)
        claim("stem-miou", "mean IoU on STEM tomography slices of contiguous blocks held out", outcome, "mean IoU",
              seconds, peer=beside, target=">= 0.90")  # fmt: skip
        claim("stem-pt-iou", "IoU of platinum on STEM tomography slices of contiguous blocks held out", outcome,
              "IoU platinum", seconds, peer=of_platinum, target=">= 0.76")  # fmt: skip
        return
    rivals = others(outcome, "mean IoU", row)
    texts = {
        "xlearn": "mean IoU on the rows held out of one X-ray tomography slice, trained on other rows of it",
        "super1": "mean IoU on unseen spots of the superalloy, Super1",
        "ebc2": "mean IoU on unseen micrographs of the coatings, EBC2",
    }
    claim(f"{options.name}-miou", texts[options.name], outcome, "mean IoU", seconds, peer=rivals,
          target=f"> {max(rivals.values()):g}")  # fmt: skip


if __name__ == "__main__":
    main()
