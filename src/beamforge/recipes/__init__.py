"""The recipe, the run and its stages."""
