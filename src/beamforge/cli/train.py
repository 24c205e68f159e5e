"""``beamforge train``: a network from stored samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb


@verb
def train(
    data: Annotated[Path, typer.Argument(help="Samples that `beamforge simulate` wrote.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the training; the model is in model/.")],
    validation: Annotated[Path | None, typer.Option(help="Samples to validate on [a tenth of the data].")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="A setting: network.encoder=resnet34, training.epochs=20.")
    ] = None,
) -> None:
    """Train a network; an interrupted training goes on with the same weights as without interruption."""
    from beamforge.recipes.load import parse_overrides
    from beamforge.recipes.training_verbs import train as train_network

    model = train_network(data, output, validation=validation, settings=parse_overrides(changes or []))
    print(f"{output / 'model'}: {len(model.classes)} classes from {len(model.channels)} channels")
