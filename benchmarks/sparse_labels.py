"""How many annotated slices simulation saves on the micropillar.

Usage: python benchmarks/sparse_labels.py [--run FOLDER]

Runs the shipped recipe ``sparse_labels`` (finished stages are skipped) and records its claim.
"""

import argparse
from pathlib import Path

from beamforge.recipes import load_recipe, run
from beamforge.recipes.sparse_labels import PRETRAINED, SCRATCH, verdict
from beamforge.recipes.stages import Run
from beamforge.reporting.claims import record


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/sparse_labels"))
    options = parser.parse_args()
    curve = run(load_recipe("sparse_labels"), options.run).curve
    stages = Run(options.run)
    stages.recall()
    points: dict[str, float | str] = {
        f"{way}, {count} slices": round(curve.summary(way, count).mean, 4)
        for way in (SCRATCH, PRETRAINED) for count in curve.slices
    }  # fmt: skip
    print(points)
    for count in curve.slices:
        needed = curve.needed(count)
        points[f"slices after simulation for what {count} reach from scratch"] = needed or f"above {curve.slices[-1]}"
    record(
        "labels-halved",
        "times fewer annotated slices of the micropillar for the same mean IoU, after simulated pre-training",
        curve.saving(), unit="1", command="python benchmarks/sparse_labels.py", seconds=sum(stages.seconds.values()),
        peer=points, target=">= 2",
        note=f"{verdict(curve)} {len(curve.seeds)} seeds. The judged stack is simulated too, with one setting of what "
        "the pre-training varies; on measured stacks the gain depends on how well the generator fits. Judged four "
        "times: with a fine-tuning of 40 steps at the full rate without simulated tiles; with one of 60 steps, chosen "
        "on another pillar; with this one, longer as the slices learnt from were not fitted by the one before (scores "
        "of two seeds with that had been seen); and with the same one after a fault was mended that had given it "
        "every measured tile three times",
    )  # fmt: skip


if __name__ == "__main__":
    main()
