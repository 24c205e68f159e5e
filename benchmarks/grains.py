"""Grain boundaries in real micrographs: trained on simulation alone, then on five annotated tiles as well.

Usage: python benchmarks/grains.py --data shared/data [--run runs/tbm-grains] [--part test]

The number before the first hyphen of a tile's name is its micrograph. In ascending order, micrographs go in turn to
three parts: the look of the first part's tiles is learnt without their masks, and five of them, one of each micrograph,
teach the fine-tuned row; settings were chosen on the second part (`--part validation`); the third one judges. Both
share the run's folder: who judges changes nothing that is trained.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from beamforge.evaluation import Estimate
from beamforge.evaluation.micrographs import MicrographScores
from beamforge.recipes import load_recipe, run
from beamforge.recipes.stages import Run
from beamforge.reporting.claims import record

COMMAND = "python benchmarks/grains.py"
PUBLISHED = {
    "MLOgraphy++, all 80 tiles, its training's among them": {"mIoU": 0.529, "F": 0.921},
    "MLOgraphy, all 80 tiles": {"mIoU": 0.449, "F": 0.641},
    "Trampert et al. 2021, other micrographs": {"mIoU": 0.745},
}
LOOKS = (
    "the judging part was looked at twice: after the first time, fine-tuned weights were mixed half and half with "
    "those before, grains numbered by flooding and intercepts counted on boundaries, all chosen on the settings part"
)
SEEDS = {"mIoU": "0.593, 0.596 and 0.599", "F": "0.815, 0.820 and 0.821"}  # on the settings part
NAMES = {"mIoU": "mean IoU of grains and boundaries", "F": "F of boundary skeletons at 3 px"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("shared/data"))
    parser.add_argument("--run", type=Path, default=Path("runs/tbm-grains"))
    parser.add_argument("--part", choices=["validation", "test"], default="test")
    parser.add_argument("--set", dest="changes", action="append", default=[])
    options = parser.parse_args()
    folder = (options.data / "micro" / "tbm_grains").absolute()
    recipe = load_recipe("grains", [*settings(folder, options.part), *options.changes])
    outcome = run(recipe, options.run)
    table = outcome.tables["measured"]
    for row, scores in table.items():
        print(
            f"{row:34} mIoU {scores.mean_iou} boundary IoU {scores.boundary_iou.value:.3f} error "
            f"{scores.pixel_error.value:.3f} P {scores.precision.value:.3f} R {scores.recall.value:.3f} F {scores.f} "
            f"ARE {scores.adapted_rand_error:.3f} grains {scores.grains_predicted:.1f}/{scores.grains_true:.1f} "
            f"intercept {scores.intercept_predicted:.1f}/{scores.intercept_true:.1f}"
        )
    if options.part == "test" and not options.changes:
        stages = Run(options.run)
        stages.recall()
        write_claims(table, sum(stages.seconds.values()))


def settings(folder: Path, part: str) -> list[str]:
    """Give micrographs in ascending order to the three parts in turn."""
    numbers = sorted({int(file.name.partition("-")[0]) for file in (folder / "images").glob("*.png")})
    learn, validation, test = (numbers[start::3] for start in range(3))
    judge = test if part == "test" else validation
    patterns = [f"{folder}/images/{number}-*.png" for number in learn]
    return [
        f"appearance_from={patterns}",
        f"annotated.images={folder}/images",
        f"annotated.masks={folder}/masks",
        "annotated.group='[^-]+'",
        f"annotated.learn={[str(number) for number in learn]}",
        f"annotated.judge={[str(number) for number in judge]}",
        "annotated.few=5",
    ]


def write_claims(table: dict[str, MicrographScores], seconds: float) -> None:
    """Record the four figures with the other rows beside."""
    rows = list(table)
    zero_shot, tuned = rows[0], next(row for row in rows if row.endswith("annotated pictures"))
    how = {zero_shot: "trained on simulation alone", tuned: "then fine-tuned on 5 annotated tiles"}
    targets = {
        ("grains-zero-shot-miou", zero_shot, "mIoU"): 0.60,
        ("grains-zero-shot-f3", zero_shot, "F"): 0.80,
        ("grains-5-labels-miou", tuned, "mIoU"): 0.70,
        ("grains-5-labels-f3", tuned, "F"): 0.92,
    }
    for (id_, row, figure), target in targets.items():
        scores = table[row]
        found = {"mIoU": scores.mean_iou, "F": scores.f}
        others = {
            f"{other}, same tiles": round(_figure(table[other], figure).value, 3) for other in rows if other != row
        }
        published = {name: values[figure] for name, values in PUBLISHED.items() if figure in values}
        record(
            id_,
            f"{NAMES[figure]} on real micrographs of grains, {how[row]}",
            found[figure].value,
            interval=found[figure].interval,
            unit="1",
            command=COMMAND,
            seconds=seconds,
            peer={**others, **published},
            target=f">= {target}",
            note=f"{scores.pictures} tiles of {scores.micrographs} micrographs, none of which was learnt from; "
            f"precision {scores.precision.value:.3f}, recall {scores.recall.value:.3f}, boundary IoU "
            f"{scores.boundary_iou.value:.3f}, adapted Rand error {scores.adapted_rand_error:.3f}; intervals over "
            "micrographs; boundaries labelled 3.5 px wide without annotation, as wide as the five tiles' with it; "
            f"one training; trainings of three seeds on simulation alone came to {SEEDS[figure]} on the settings part; "
            f"{LOOKS}",
        )
    scores = table[zero_shot]
    record(
        "grains-intercept",
        "mean lineal intercept (Heyn) on real micrographs of grains, found over annotated, trained on simulation alone",
        scores.intercept_predicted / scores.intercept_true,
        unit="1",
        command=COMMAND,
        seconds=seconds,
        peer={
            f"{row}, same tiles": round(other.intercept_predicted / other.intercept_true, 3)
            for row, other in table.items()
            if row != zero_shot
        },
        note=f"{scores.intercept_predicted:.1f} px against {scores.intercept_true:.1f} px, mean of {scores.pictures} "
        f"tiles; {scores.grains_predicted:.1f} grains a tile against {scores.grains_true:.1f}; {LOOKS}",
    )


def _figure(scores: MicrographScores, figure: str) -> Estimate:
    return scores.mean_iou if figure == "mIoU" else scores.f


if __name__ == "__main__":
    main()
