"""Options that say what the values of a mask mean, shared by the verbs that read labels."""

from __future__ import annotations

from typing import Annotated, Any

import typer
import yaml

from beamforge.errors import InputError

Legend = Annotated[
    str | None,
    typer.Option(help='Class by value, colour or ROI of the mask: "{0: background, 255: crack}".'),
]
Unlabelled = Annotated[str | None, typer.Option(help="Class of what lies in no ROI or is not in the legend.")]
ClassNames = Annotated[str | None, typer.Option("--classes", help='Names of classes 0, 1, …: "air,water".')]


def parse_legend(text: str | None) -> dict[Any, str] | None:
    """Read a legend as the command line and recipes write it.

    Raises
    ------
    InputError
        If it is no mapping of values to names.
    """
    if text is None:
        return None
    try:
        legend = yaml.safe_load(text)
    except yaml.YAMLError:
        legend = None
    if not isinstance(legend, dict) or not all(isinstance(name, str) for name in legend.values()):
        raise InputError(
            f"--legend {text!r}: expected values and names, such as \"{{0: background, '#ff0000': crack}}\""
        )
    return legend


def parse_classes(text: str | None) -> list[str] | None:
    """Split class names at commas."""
    return None if text is None else [name.strip() for name in text.strip("[]").split(",")]
