"""``beamforge cluster``: group pixels by their spectra."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb
from beamforge.errors import InputError


class Method(StrEnum):
    """How clusters are found."""

    kmeans = "kmeans"
    mixture = "mixture"


@verb
def cluster(
    stack: Annotated[str, typer.Argument(help="The stack: file, folder, pattern or file.h5:/path.")],
    count: Annotated[str, typer.Option("-k", "--count", help="Number of clusters, or bic or silhouette to choose it.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for labels, spectra and figure.")],
    method: Annotated[Method, typer.Option(help="k-means, or a mixture of Gaussians.")] = Method.kmeans,
    position: Annotated[float, typer.Option(help="Weight of a pixel's place; 1 counts as much as its spectrum.")] = 0.0,
    most: Annotated[int, typer.Option(help="Largest number that bic or silhouette may choose.")] = 12,
    bins: Annotated[int, typer.Option(help="How many neighbouring channels are averaged first.")] = 1,
    restarts: Annotated[int, typer.Option(min=1, help="How many starts; the best counts.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random stream.")] = 0,
    device: Annotated[str | None, typer.Option(help="Torch device such as cuda; by default NumPy.")] = None,
) -> None:
    """Group the pixels of a stack by their spectra: label image, mean spectra and a figure of both."""
    from beamforge.recipes import classical_verbs

    if count not in ("bic", "silhouette") and not count.isdecimal():
        raise InputError(f"--count is {count!r}, expected a number, bic or silhouette")
    found = classical_verbs.cluster(
        stack,
        int(count) if count.isdecimal() else count,  # type: ignore[arg-type]
        output,
        method=method.value,
        position_weight=position,
        most=most,
        bin_factor=bins,
        restarts=restarts,
        seed=seed,
        device=device,
    )
    for number, score in found.scores.items():
        print(f"{number:3d} clusters: {score:.6g}")
    for number, why in found.left_out.items():
        print(f"left out: channel {number} {why}")
    for name, size in zip(found.labels.attrs["class_names"], found.sizes, strict=True):
        print(f"{name:12} {size:10d} px")
    print(f"{output}: inertia {found.inertia:.8g}")
