"""How long the demo takes from a fresh clone, and what it finds.

Usage: python benchmarks/demo.py

Clones this checkout, runs `make demo` in it twice: first installing everything, then a fresh run of the installed demo.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from beamforge.evaluation import Matrix
from beamforge.reporting.claims import record

COMMAND = "python benchmarks/demo.py"
PAPER = {"Sathe et al. 2024, synthetic to measured": 0.8572, "Sathe et al. 2024, measured to measured": 0.8365}


def timed(folder: Path) -> float:
    started = time.perf_counter()
    subprocess.run(["make", "demo"], cwd=folder, check=True)
    return time.perf_counter() - started


def record_dice(matrix: Matrix, seconds: float) -> None:
    scores = {model: matrix.scores[model]["measured"] for model in matrix.models}
    main = matrix.models[0]
    others = {model: round(scores[model].dice.value, 4) for model in matrix.models if model != main}
    difference = matrix.difference(main, "measured", "measured")
    record(
        "demo-phantom-dice",
        "Dice on the unseen phantom acquisition of the network trained on correlated simulations, 180 steps",
        scores[main].dice.value,
        interval=scores[main].dice.interval,
        unit="1",
        command=COMMAND,
        seconds=seconds,
        peer={**{f"ours, {model}": value for model, value in others.items()}, **PAPER},
        target=">= 0.95",
        note=f"above measured to measured by {difference.value:+.4f}, 95 % interval {difference.interval}, one seed",
    )


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as place:
        clone = Path(place) / "beamforge"
        subprocess.run(["git", "clone", "--quiet", ".", str(clone)], check=True)
        installing = timed(clone)
        shutil.rmtree(clone / "runs")
        installed = timed(clone)
        matrix = Matrix.model_validate(json.loads((clone / "runs/demo/evaluation/matrix.json").read_text()))
    record(
        "demo-seconds",
        "make demo in a fresh clone, installation included",
        installing,
        unit="s",
        command=COMMAND,
        seconds=installing,
        target="< 600",
    )
    record(
        "demo-seconds-installed",
        "make demo when installed",
        installed,
        unit="s",
        command=COMMAND,
        seconds=installed,
        target="< 300",
    )
    record_dice(matrix, installed)


if __name__ == "__main__":
    main()
