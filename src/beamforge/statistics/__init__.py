"""Distributions and correlations of grey values per class and channel, and how well they fit."""
