"""Classical methods that a recipe can set beside its networks, by name, a module each."""

from __future__ import annotations

from beamforge.recipes.methods.base import METHODS, Labelled, Method, create_method

__all__ = ["METHODS", "Labelled", "Method", "create_method"]
