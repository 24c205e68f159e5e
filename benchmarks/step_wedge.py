"""What a network trained on simulations of the 20 s step wedge finds on the real 60 s exposure.

Usage: python benchmarks/step_wedge.py [--run runs/step_wedge]

Runs the recipe `step_wedge` (or reads the finished run) and judges its main network on both exposures.
"""

import argparse
import time
from pathlib import Path

from beamforge.evaluation import evaluate_image
from beamforge.recipes import load_recipe, run
from beamforge.recipes.job import Job
from beamforge.recipes.stages import Run
from beamforge.reporting.claims import record

COMMAND = "python benchmarks/step_wedge.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/step_wedge"))
    options = parser.parse_args()
    recipe = load_recipe("step_wedge")
    started = time.perf_counter()
    matrix = run(recipe, options.run).matrix
    job = Job(recipe, Run(options.run))
    main_row = matrix.models[0]
    annotated = evaluate_image(job.network(main_row), job.stack("annotated"), job.labels("annotated"), tile=recipe.tile)
    seconds = time.perf_counter() - started
    others = {f"ours, {m}": round(matrix.scores[m]["measured"].mean_iou.value, 4) for m in matrix.models[1:]}
    best_gaussian = max((m for m in matrix.models if m.startswith("Gaussian")), key=lambda m: others[f"ours, {m}"])
    difference = matrix.difference(main_row, best_gaussian, "measured", "mean_iou")
    found = matrix.scores[main_row]["measured"].mean_iou
    record(
        "wedge-60s-miou",
        "mean IoU on the real 60 s exposure, trained on simulations of the 20 s exposure only",
        found.value,
        interval=found.interval,
        unit="1",
        command=COMMAND,
        seconds=seconds,
        peer={**others, "Gaussian per pixel, best smoothing, uncorrected channels": 0.950},
        target=">= 0.955",
        note=f"above {best_gaussian} by {difference.value:+.4f}, 95 % interval {difference.interval}; one seed",
    )
    record(
        "wedge-20s-miou",
        "mean IoU on the annotated real 20 s exposure itself, trained on simulations of it",
        annotated.mean_iou.value,
        interval=annotated.mean_iou.interval,
        unit="1",
        command=COMMAND,
        seconds=seconds,
        peer={"U-Net of 300 steps, empirical quantiles and blurred edges": 0.913},
        note="the annotated exposure is what the simulation was fitted to; it is not an independent test",
    )


if __name__ == "__main__":
    main()
