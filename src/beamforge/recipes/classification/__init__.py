"""Recipes of the kind ``classification`` at work."""
