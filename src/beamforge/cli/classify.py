"""``beamforge classify``: train a classical pixel classifier."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb
from beamforge.errors import InputError


@verb
def classify(
    stack: Annotated[str, typer.Argument(help="The measured stack: file, folder, pattern or file.h5:/path.")],
    labels: Annotated[Path, typer.Argument(help="Scribbles or a full mask: an image, or ImageJ ROIs (.roi, .zip).")],
    output: Annotated[Path, typer.Option("-o", "--output", help="JSON file of the classifier.")],
    method: Annotated[
        str,
        typer.Option(
            help="otsu, multi_otsu, two_peak, knn, decision_tree, random_forest, gradient_boosting, lda, qda, "
            "gaussian or analytic."
        ),
    ] = "random_forest",
    sigmas: Annotated[str, typer.Option(help="Scales of the features in px, with commas between.")] = "1,2,4",
    pixels: Annotated[int, typer.Option(min=5, help="Most labelled pixels of a class to learn.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random stream.")] = 0,
) -> None:
    """Train a pixel classifier on multi-scale features; evaluate and segment take its file."""
    from beamforge.recipes import classical_verbs

    try:
        scales = tuple(float(part) for part in sigmas.split(","))
    except ValueError as error:
        raise InputError(f"--sigmas is {sigmas!r}, expected numbers of px such as 1,2,4") from error
    if not all(0 < scale < float("inf") for scale in scales):
        raise InputError(f"--sigmas is {sigmas!r}, expected numbers above 0")
    found = classical_verbs.classify(
        stack, labels, output, method=method, sigmas_px=scales, pixels_per_class=pixels, seed=seed
    )
    print(f"{output}: {method}, {len(found.classes)} classes in {len(found.channels)} channels")
