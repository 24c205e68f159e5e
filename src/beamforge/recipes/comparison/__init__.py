"""Comparing networks on annotated slices: the stages, the accounts and the report."""
