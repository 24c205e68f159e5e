"""Grain boundaries in real micrographs: trained on simulation alone, then on five annotated tiles as well.

Usage: python benchmarks/grains.py --data shared/data [--run runs/tbm-grains] [--part test]

The number before the first hyphen of a tile's name is its micrograph. In ascending order, micrographs go in turn to
three parts: the look of the first part's tiles is learnt without their masks, and five of them, one of each micrograph,
teach the fine-tuned row; settings were chosen on the second part (`--part validation`); the third one judges. Both
share the run's folder: who judges changes nothing that is trained. The recipe runs as it is shipped and under two more
seeds, each in a folder of its own; claims are means over the three.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import mean

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
    "the judging part was looked at three times: after the first, fine-tuned weights were mixed half and half with "
    "those before, grains numbered by flooding and intercepts counted on boundaries, all chosen on the settings part; "
    "after the second, a fault was mended that had given the fine-tuning every annotated tile three times; the other "
    "seeds were judged once"
)
MORE_SEEDS = (2, 3)
"""Seeds of the recipe beside its own."""
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
    recipes = [recipe, *(recipe.with_seed(seed) for seed in MORE_SEEDS)]
    tables, seconds = [], 0.0
    for one in recipes:
        place = options.run / f"seed-{one.seed}"
        tables.append(run(one, place).tables["measured"])
        stages = Run(place)
        stages.recall()
        seconds += sum(stages.seconds.values())
        show(tables[-1])
    if options.part == "test" and not options.changes:
        write_claims(tables, seconds)


def show(table: dict[str, MicrographScores]) -> None:
    for row, scores in table.items():
        print(
            f"{row:34} mIoU {scores.mean_iou} boundary IoU {scores.boundary_iou.value:.3f} error "
            f"{scores.pixel_error.value:.3f} P {scores.precision.value:.3f} R {scores.recall.value:.3f} F {scores.f} "
            f"ARE {scores.adapted_rand_error:.3f} grains {scores.grains_predicted:.1f}/{scores.grains_true:.1f} "
            f"intercept {scores.intercept_predicted:.1f}/{scores.intercept_true:.1f}"
        )


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


def write_claims(tables: list[dict[str, MicrographScores]], seconds: float) -> None:
    """Record the four figures with the other rows beside, and the intercept: means over the seeds."""
    rows = list(tables[0])
    zero_shot, tuned = rows[0], next(row for row in rows if row.endswith("annotated pictures"))
    how = {zero_shot: "trained on simulation alone", tuned: "then fine-tuned on 5 annotated tiles"}
    targets = {
        ("grains-zero-shot-miou", zero_shot, "mIoU"): 0.60,
        ("grains-zero-shot-f3", zero_shot, "F"): 0.80,
        ("grains-5-labels-miou", tuned, "mIoU"): 0.70,
        ("grains-5-labels-f3", tuned, "F"): 0.92,
    }
    for (id_, row, figure), target in targets.items():
        found = [figure_of(table[row], figure) for table in tables]
        others = {
            f"{other}, same tiles": round(mean(figure_of(table[other], figure).value for table in tables), 3)
            for other in rows
            if other != row
        }
        published = {name: values[figure] for name, values in PUBLISHED.items() if figure in values}
        record(
            id_,
            f"{NAMES[figure]} on real micrographs of grains, {how[row]}",
            mean(one.value for one in found),
            interval=[mean(one.interval[end] for one in found) for end in (0, 1)],
            unit="1",
            command=COMMAND,
            seconds=seconds,
            peer={**others, **published},
            target=f">= {target}",
            note=note_of([table[row] for table in tables], [one.value for one in found]),
        )
    scores = [table[zero_shot] for table in tables]
    record(
        "grains-intercept",
        "mean lineal intercept (Heyn) on real micrographs of grains, found over annotated, trained on simulation alone",
        mean(one.intercept_predicted / one.intercept_true for one in scores),
        unit="1",
        command=COMMAND,
        seconds=seconds,
        peer={
            f"{row}, same tiles": round(
                mean(table[row].intercept_predicted / table[row].intercept_true for table in tables), 3
            )
            for row in rows
            if row != zero_shot
        },
        note=f"{', '.join(f'{one.intercept_predicted:.1f}' for one in scores)} px by three seeds against "
        f"{scores[0].intercept_true:.1f} px, mean of {scores[0].pictures} tiles; "
        f"{mean(one.grains_predicted for one in scores):.1f} grains a tile against {scores[0].grains_true:.1f}; "
        f"{LOOKS}",
    )


def note_of(scores: list[MicrographScores], values: list[float]) -> str:
    return (
        f"{scores[0].pictures} tiles of {scores[0].micrographs} micrographs, none of which was learnt from; mean of "
        f"three seeds ({', '.join(f'{value:.3f}' for value in values)}); precision "
        f"{mean(one.precision.value for one in scores):.3f}, recall {mean(one.recall.value for one in scores):.3f}, "
        f"boundary IoU {mean(one.boundary_iou.value for one in scores):.3f}, adapted Rand error "
        f"{mean(one.adapted_rand_error for one in scores):.3f}; intervals over micrographs, their ends averaged over "
        f"the seeds; boundaries labelled 3.5 px wide without annotation, as wide as the five tiles' with it; {LOOKS}"
    )


def figure_of(scores: MicrographScores, figure: str) -> Estimate:
    return scores.mean_iou if figure == "mIoU" else scores.f


if __name__ == "__main__":
    main()
