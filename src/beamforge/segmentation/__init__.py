"""Applying a predictor to whole images and big stacks."""
