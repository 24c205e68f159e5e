"""Baselines without training that a network must beat."""
