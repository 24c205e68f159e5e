"""Pillars milled out of an alloy: their particles, and the volume they make."""
