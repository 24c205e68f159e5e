"""``beamforge validate``: does the simulation have the measurement's statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from beamforge.cli.app import verb


@verb
def validate(
    model: Annotated[Path, typer.Argument(help="A model that `beamforge fit` wrote.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="JSON file for all differences.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulation.")] = 0,
) -> None:
    """Simulate with an intensity model, fit again, and show the differences."""
    import numpy as np

    from beamforge.files import write_json
    from beamforge.recipes import verbs

    differences = verbs.validate(model, seed=seed)
    if output is not None:
        write_json(output, differences.model_dump(mode="json"))
    print(f"{'class':24} {'W1 / sd':>18} {'KS':>18}   (median and largest over channels)")
    for name, w1, ks in zip(differences.classes.names, differences.w1, differences.ks, strict=True):
        columns = [f"{np.median(row):8.4f} {row.max():9.4f}" for row in (w1, ks)]
        print(f"{name:24} {columns[0]} {columns[1]}")
