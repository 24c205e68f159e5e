"""beamforge: from one annotated measurement to a trained, honestly judged segmenter.

The functions here do what the verbs of the command line do; each is loaded when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

from beamforge._version import __version__

_VERBS = (
    "classify",
    "clean",
    "clean_spots",
    "cluster",
    "compare",
    "demo",
    "evaluate",
    "fit",
    "inspect",
    "prepare",
    "report",
    "segment",
    "simulate",
    "train",
    "validate",
    "volume",
)
_RECIPES = ("load_recipe", "run")

__all__ = ["__version__", *_VERBS, *_RECIPES]


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        return getattr(importlib.import_module("beamforge.recipes.verbs"), name)
    if name in _RECIPES:
        return getattr(importlib.import_module("beamforge.recipes"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
