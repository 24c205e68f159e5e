"""beamforge: from one annotated measurement to a trained, honestly judged segmenter.

The functions here do what the verbs of the command line do; each is loaded when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import Any

from beamforge._version import __version__

_MODULES = {
    "verbs": (
        "compare", "demo", "evaluate", "fit", "fit_detector", "inspect", "prepare", "report", "segment", "simulate",
        "validate", "volume",
    ),
    "training_verbs": ("lr_range", "train"),
    "classical_verbs": ("classify", "clean", "clean_spots", "cluster"),
}  # fmt: skip
_VERBS = {verb: f"beamforge.recipes.{module}" for module, verbs in _MODULES.items() for verb in verbs}
_RECIPES = ("load_recipe", "run")

__all__ = ["__version__", *_VERBS, *_RECIPES]


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        return getattr(importlib.import_module(_VERBS[name]), name)
    if name in _RECIPES:
        return getattr(importlib.import_module("beamforge.recipes"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
