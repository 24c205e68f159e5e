"""Attenuation, correlograms and the detector."""
