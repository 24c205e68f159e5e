"""White spots: detection and in-painting.

A detector says which pixels of an image are spots, `fill_spots` replaces them, `clean` does both to a stack of any
size. The baselines are here beside the one that uses a trained network, behind one interface.
"""

from beamforge.classical.spots.cleaning import Cleaning, clean
from beamforge.classical.spots.detectors import MedianThreshold, RobustSpots, SpotDetector, find_spots
from beamforge.classical.spots.inpainting import fill_spots
from beamforge.classical.spots.network import NetworkSpots
from beamforge.classical.spots.pixels import PixelSpots

__all__ = [
    "Cleaning",
    "MedianThreshold",
    "NetworkSpots",
    "PixelSpots",
    "RobustSpots",
    "SpotDetector",
    "clean",
    "fill_spots",
    "find_spots",
]
