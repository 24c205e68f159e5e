"""``beamforge run``: a recipe from measured data to the report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from beamforge.cli.app import verb
from beamforge.cli.appearance_option import AppearanceFrom
from beamforge.cli.label_options import Legend, Unlabelled

if TYPE_CHECKING:
    from beamforge.recipes import Outcome

_WIDEST = 1000


@verb
def run(
    recipe: Annotated[str, typer.Argument(help="A recipe file, or the name of one of `beamforge recipes`.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder of the run [runs/RECIPE].")] = None,
    changes: Annotated[list[str] | None, typer.Option("--set", help="Change a setting: training.epochs=20.")] = None,
    stack: Annotated[str | None, typer.Option(help="Your measured stack: sets annotated.stack.")] = None,
    labels: Annotated[str | None, typer.Option(help="Its labels: sets annotated.labels.")] = None,
    legend: Legend = None,
    appearance_from: AppearanceFrom = None,
    unlabelled: Unlabelled = None,
    repeats: Annotated[int | None, typer.Option(min=1, help="Run so often, the run's number being the seed.")] = None,
) -> None:
    """Run a recipe; finished stages are skipped, a killed run goes on where it was."""
    from beamforge.recipes import load_recipe, run_repeats
    from beamforge.recipes import run as run_recipe

    named = {"annotated.stack": stack, "annotated.labels": labels, "appearance_from": appearance_from}
    shorthands = [f"{key}={Path(value).absolute()}" for key, value in named.items() if value is not None]
    meanings = {"annotated.legend": legend, "annotated.unlabelled": unlabelled}
    shorthands += [f"{key}={value}" for key, value in meanings.items() if value is not None]
    loaded = load_recipe(recipe, [*shorthands, *(changes or [])])
    folder = output or Path("runs") / (loaded.name if repeats is None else f"{loaded.name}-repeats")
    show(run_recipe(loaded, folder) if repeats is None else run_repeats(loaded, folder, repeats))


def show(result: Outcome) -> None:
    """Print the table of results and where the report is."""
    console = Console()
    if not console.is_terminal:
        # A file or a pipe has no width that names would have to be cut to.
        console.width = _WIDEST
    console.print(result.table(), highlight=False)
    places = {**result.files, "report": result.report}
    console.print("\n".join(f"{name}: {path}" for name, path in places.items()), highlight=False, soft_wrap=True)
