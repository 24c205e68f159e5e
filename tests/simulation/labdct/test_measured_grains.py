"""The geometry on real projections: orientations found in them must send their spots to where spots are."""

from pathlib import Path

import numpy as np
import tifffile
from numpy.random import default_rng
from scipy.ndimage import distance_transform_edt, gaussian_filter, median_filter
from scipy.spatial.transform import Rotation

from beamforge.physics.crystals import Crystal
from beamforge.physics.labdct import Instrument
from beamforge.physics.orientations import uniform_orientations
from beamforge.physics.structure_factors import families
from beamforge.simulation.labdct.rays import spot_places, turned_about_z

# Bunge-like angles (intrinsic z, x, z, in degrees) of three grains of the iron sample, found by a search over 60,000
# orientations and refined on all 61 projections.
GRAINS = [(136.634, 134.980, 95.086), (60.664, 44.558, -157.034), (-55.244, 77.576, -83.358)]
NUMBERS = np.arange(1, 122, 10)


def distances(folder: Path) -> list[np.ndarray]:
    """Distance in px of every pixel to the nearest spot, for each projection."""
    stack = np.stack([tifffile.imread(folder / f"Iron_sample_tomo-B_Export{number:04d}.tiff") for number in NUMBERS])
    still = np.median(stack, axis=0)
    maps = []
    for image in stack.astype(np.float32):
        risen = gaussian_filter(median_filter(image, 3) - still, 1.5)
        scale = 1.4826 * np.median(np.abs(risen - np.median(risen)))
        maps.append(distance_transform_edt(risen <= np.median(risen) + 8 * scale))
    return maps


def completeness(orientation: np.ndarray, maps: list[np.ndarray]) -> tuple[float, int]:
    """Share of the predicted spots of 18 to 70 keV that have one within 3 px."""
    iron, geometry = Crystal.named("Fe"), Instrument.named("far-field-iron").geometry
    vectors = np.concatenate(families(iron, 4)) @ iron.reciprocal.T @ orientation.T
    top, bottom, left, right = geometry.beam_stop
    hits, predicted = 0, 0
    for number, near in zip(NUMBERS, maps, strict=True):
        turned = vectors @ turned_about_z(-180.0 + 3.0 * (number - 1)).T
        places, energies = spot_places(np.zeros_like(turned), turned, geometry)
        with np.errstate(invalid="ignore"):
            inside = ((places > 0) & (places < 1023)).all(axis=1) & (energies > 18) & (energies < 70)
        rows, columns = np.rint(places[inside]).astype(int).T
        free = ~((rows > top - 5) & (rows < bottom + 5) & (columns > left - 5) & (columns < right + 5))
        hits += int((near[rows[free], columns[free]] <= 3).sum())
        predicted += int(free.sum())
    return hits / predicted, predicted


def test_real_spots_lie_where_grains_send_them(real_data: Path) -> None:
    maps = distances(real_data / "labdct" / "far_field_iron")
    for angles in GRAINS:
        share, predicted = completeness(Rotation.from_euler("ZXZ", angles, degrees=True).as_matrix(), maps)
        assert predicted > 20
        assert share > 0.6
    chance = [completeness(turn, maps)[0] for turn in uniform_orientations(20, default_rng(0))]
    assert np.mean(chance) < 0.15
