"""Applying predictors to stacks and volumes of any size."""

from beamforge.segmentation.segment import Segmentation, segment

__all__ = ["Segmentation", "segment"]
