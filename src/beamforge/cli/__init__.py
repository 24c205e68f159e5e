"""The command line: one file a verb, each a thin call of one public function."""

from __future__ import annotations

import importlib

from beamforge.cli.app import app

_VERBS = (
    "demo", "run", "inspect", "fit", "validate", "simulate", "train", "lr_range", "evaluate", "segment",
    "clean", "clean_spots", "cluster", "classify", "compare", "prepare", "volume", "report", "recipes",
    "fit_detector", "materials",
)  # fmt: skip


def main() -> None:
    """Run the command line."""
    for name in _VERBS:
        importlib.import_module(f"beamforge.cli.{name}")
    app()
