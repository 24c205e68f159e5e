"""Draw the README's picture from a finished demo.

Usage: python benchmarks/readme_picture.py [--run runs/demo]
"""

import argparse
from pathlib import Path

from beamforge.recipes import load_recipe
from beamforge.recipes.job import Job
from beamforge.recipes.report import prediction_figure
from beamforge.recipes.stages import Run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("runs/demo"))
    run = parser.parse_args().run
    picture = Path("docs/images/demo.png")
    picture.parent.mkdir(parents=True, exist_ok=True)
    prediction_figure(Job(load_recipe(run / "recipe.yaml"), Run(run))).savefig(picture, dpi=90)


if __name__ == "__main__":
    main()
