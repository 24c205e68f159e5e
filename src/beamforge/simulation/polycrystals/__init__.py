"""Polycrystals: volumes of grains, drawn or measured."""
