"""Scores, intervals and the train x evaluate matrix."""
