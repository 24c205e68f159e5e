"""The option that learns the look of a scenario from pictures."""

from __future__ import annotations

from typing import Annotated

import typer

AppearanceFrom = Annotated[
    str | None, typer.Option(help="Pictures whose look is learnt, a folder or pattern: sets appearance_from.")
]
