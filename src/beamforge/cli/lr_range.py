"""``beamforge lr-range``: the learning rate to train a network with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb


@verb
def lr_range(
    data: Annotated[Path, typer.Argument(help="Samples that `beamforge simulate` wrote.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The figure: .png, .svg or .pdf.")],
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="A setting, as for `beamforge train`: network.encoder=resnet34.")
    ] = None,
    low: Annotated[float, typer.Option(help="First learning rate.")] = 1e-6,
    high: Annotated[float, typer.Option(help="Last learning rate.")] = 1.0,
    steps: Annotated[int, typer.Option(help="Steps between them.")] = 100,
    stage: Annotated[int, typer.Option(help="Which stage of the training to try.")] = 1,
) -> None:
    """Train for some steps with a rising learning rate, draw the loss, and suggest the highest rate to train with."""
    from beamforge.recipes.load import parse_overrides
    from beamforge.recipes.training_verbs import lr_range as try_rates

    settings = parse_overrides(changes or [])
    found = try_rates(data, output, settings=settings, low=low, high=high, steps=steps, stage=stage)
    print(f"{output}: lowest loss at {found.lowest:.2g}, steepest fall at {found.steepest:.2g}")
    if not found.falls:
        print("the loss hardly falls, so these rates are chance; try again with more --steps or larger batches")
    elif found.rises:
        print(f"suggestion: training.learning_rate={found.suggestion:.2g}")
    else:
        print(f"the loss has not risen again at {found.rates[-1]:.2g}; try again with a larger --high")
