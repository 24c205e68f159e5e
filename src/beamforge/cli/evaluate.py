"""``beamforge evaluate``: how good is a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb
from beamforge.cli.label_options import Legend, Unlabelled, parse_legend


@verb
def evaluate(
    model: Annotated[Path, typer.Argument(help="A model folder, a classifier or an intensity model.")],
    data: Annotated[str, typer.Argument(help="A simulated data set, or a measured stack.")],
    labels: Annotated[str | None, typer.Argument(help="Labels of the measured stack.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="JSON file for all scores.")] = None,
    legend: Legend = None,
    unlabelled: Unlabelled = None,
    tile: Annotated[int, typer.Option(min=8, help="Side in px of the tiles that intervals are taken over.")] = 192,
) -> None:
    """Judge a model: Dice, IoU and accuracy with bootstrap intervals over tiles; the error rate of classified tiles."""
    from beamforge.files import write_json
    from beamforge.recipes import verbs
    from beamforge.recipes.tile_verbs import evaluate_tiles, is_tile_classifier

    if is_tile_classifier(model):
        found = evaluate_tiles(model, data, labels)
        if output is not None:
            write_json(output, found.model_dump(mode="json"))
        print(f"error rate of {found.tiles} tiles {found.error} ({found.level:.0%} interval)")
        for name, recall, precision in zip(found.classes, found.recall, found.precision, strict=True):
            print(f"{name:24} found {recall:.4f}  right {precision:.4f}")
        return
    scores = verbs.evaluate(model, data, labels, tile=tile, legend=parse_legend(legend), unlabelled=unlabelled)
    if output is not None:
        write_json(output, scores.model_dump(mode="json"))
    for name in ("dice", "mean_iou", "pixel_accuracy"):
        print(f"{name:16} {getattr(scores, name)}")
    for one in scores.per_class:
        print(f"IoU {one.name:24} {one.iou if one.iou is not None else '– (not present)'}")
