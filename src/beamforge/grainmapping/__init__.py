"""Grains from diffraction spots."""
