"""``beamforge fit``: learn the intensities of a measurement."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb
from beamforge.cli.label_options import ClassNames, Legend, Unlabelled, parse_classes, parse_legend


class Marginal(StrEnum):
    """How the values of a class are distributed."""

    johnson = "johnson"
    empirical = "empirical"


class Correlated(StrEnum):
    """What hangs together."""

    none = "none"
    channels = "channels"
    space = "space"
    both = "both"


@verb
def fit(
    stack: Annotated[str, typer.Argument(help="The measured stack: file, folder, pattern or file.h5:/path.")],
    labels: Annotated[str, typer.Argument(help="Its labels: an image, or ImageJ ROIs (.roi, .zip).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="JSON file of the model.")],
    marginal: Annotated[Marginal, typer.Option(help="Johnson curves or measured quantiles.")] = Marginal.johnson,
    correlation: Annotated[Correlated, typer.Option(help="Correlation to learn.")] = Correlated.both,
    classes: ClassNames = None,
    legend: Legend = None,
    unlabelled: Unlabelled = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the dither of whole numbers.")] = 0,
) -> None:
    """Learn an intensity model from one annotated measurement."""
    from beamforge.recipes import verbs

    model = verbs.fit(
        stack,
        labels,
        output,
        classes=parse_classes(classes),
        legend=parse_legend(legend),
        unlabelled=unlabelled,
        marginal=marginal.value,
        correlation=correlation.value,
        seed=seed,
    )
    print(f"{output}: {', '.join(model.classes.names)} in {len(model.channels)} channel(s)")
