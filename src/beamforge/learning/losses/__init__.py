"""Losses by name, all with an ignore label."""
