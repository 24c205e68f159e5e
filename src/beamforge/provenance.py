"""Where an artefact comes from: version, recipe, seed, inputs, and whether it is simulated."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from beamforge._version import __version__
from beamforge.files import sha256


def provenance(
    *,
    simulated: bool,
    inputs: Iterable[str | Path] = (),
    seed: int | None = None,
    recipe: dict[str, Any] | None = None,
    **notes: Any,
) -> dict[str, Any]:
    """Describe an artefact that is about to be written.

    Parameters
    ----------
    simulated
        Whether any pixel of the artefact is simulated.
    inputs
        Files or folders it was made from; each is hashed.
    seed
        The seed of its random streams.
    recipe
        The settings it was made with, JSON-able.
    **notes
        Anything else worth keeping, JSON-able.
    """
    return {
        "beamforge": __version__,
        "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "simulated": simulated,
        "seed": seed,
        "inputs": {str(path): sha256(path) for path in inputs},
        "recipe": recipe,
        **notes,
    }
