"""Recipes of the kind ``micrographs`` at work."""
