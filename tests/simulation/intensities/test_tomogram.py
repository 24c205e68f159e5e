"""The tomogram: its contract, its physics, and volumes written slab by slab."""

import json
from pathlib import Path

import numpy as np
import pytest
import xraydb
from numpy.random import default_rng
from scipy.ndimage import uniform_filter

from beamforge.errors import InputError
from beamforge.io import open_label_volume, open_stack
from beamforge.simulation import Sample
from beamforge.simulation.intensities.tomogram import INCLUSION, MATRIX, PRECIPITATE, Tomogram
from beamforge.simulation.pillar_volume import PillarVolume
from beamforge.simulation.scenarios.micropillar import micropillar
from beamforge.simulation.scenes.micropillar import Micropillar
from contracts.step import StepContract

CLEAN = {
    "propagation": 0.0, "harmonic": 0.0, "gain_spread": 1e-9, "unsharpness": 0.0, "zingers": 1e-12, "span": 180.0,
    "counts": 1e7, "energy": 9.1, "angles": 120,
}  # fmt: skip


def cylinder(side: int = 48, depth: int = 9) -> np.ndarray:
    """A pillar of matrix with a rod of each of the other phases."""
    y, x = np.mgrid[:side, :side] - side // 2
    plane = (np.hypot(y, x) < 0.42 * side).astype(np.uint8)
    plane[np.hypot(y - 7, x) < 5] = 2
    plane[np.hypot(y + 7, x) < 5] = 3
    return np.repeat(plane[None], depth, axis=0)


def sample_of(phases: np.ndarray) -> Sample:
    labels = np.where(phases[len(phases) // 2] > 1, phases[len(phases) // 2] - 1, 0).astype(np.uint8)
    return Sample(np.zeros((0, 0, 0), np.float32), labels, extras={"phases": phases})


def measure(phases: np.ndarray, **changes: object) -> np.ndarray:
    step = Tomogram(**{**CLEAN, **changes})
    sample = sample_of(phases)
    return step.apply(sample, step.draw(sample, default_rng(1)), default_rng(2)).image[0]


class TestTomogramContract(StepContract):
    examples = [Tomogram(angles=20, margin=1), Tomogram(angles=16, propagation=0.0, harmonic=0.0)]

    def sample(self) -> Sample:
        return sample_of(cylinder(32, 5))


@pytest.mark.parametrize("energy", [8.9, 9.1])
def test_a_clean_measurement_returns_the_tabulated_coefficients_on_either_side_of_the_edge(energy: float) -> None:
    phases = cylinder()
    image = measure(phases, energy=energy)
    inside = uniform_filter((phases[4] == np.array([1, 2, 3])[:, None, None]).astype(float), (0, 5, 5)) > 0.999
    for number, material in enumerate((MATRIX, PRECIPITATE, INCLUSION)):
        expected = xraydb.material_mu(material.formula, energy * 1000, density=material.density)
        assert image[inside[number]].mean() == pytest.approx(expected, rel=0.04)


def test_the_edge_of_copper_lies_between_the_two_energies() -> None:
    ratio = INCLUSION.xray_attenuation(9.1) / INCLUSION.xray_attenuation(8.9)
    assert ratio > 1.5
    assert MATRIX.xray_attenuation(9.1) / MATRIX.xray_attenuation(8.9) < ratio
    assert PRECIPITATE.xray_delta(9.1) > MATRIX.xray_delta(9.1) > 0
    with pytest.raises(InputError, match="400 keV"):
        MATRIX.xray_delta(500.0)


def test_propagation_makes_a_bright_fringe_at_the_surface() -> None:
    phases = cylinder()
    phases[phases > 1] = 1
    without, fringes = measure(phases), measure(phases, propagation=20.0)
    y, x = np.mgrid[:48, :48] - 24
    distance = np.hypot(y, x)
    rim = (distance > 18) & (distance < 20)
    core = distance < 12
    assert fringes[rim].max() - fringes[core].mean() > 3 * (without[rim].max() - without[core].mean())


def test_the_harmonic_hollows_out_a_strong_absorber() -> None:
    phases = cylinder()
    phases[phases > 0] = 3
    # At a larger voxel the pillar absorbs nearly all of the main energy.
    flat, hollow = (measure(phases, pixel_size=2.0, harmonic=share) for share in (0.0, 0.03))
    y, x = np.mgrid[:48, :48] - 24
    distance = np.hypot(y, x)

    def cupping(image: np.ndarray) -> float:
        return float(image[(distance > 13) & (distance < 17)].mean() / image[distance < 4].mean())

    assert cupping(flat) == pytest.approx(1.0, abs=0.03)
    assert cupping(hollow) > 1.1


def test_gains_make_rings_and_counting_makes_noise() -> None:
    phases = cylinder()
    clean = measure(phases)
    rings = measure(phases, gain_spread=0.02) - clean
    noise = measure(phases, counts=2000.0) - clean
    y, x = np.mgrid[:48, :48] - 24
    radius = np.rint(np.hypot(y, x)).astype(int)

    def share_of_circles(image: np.ndarray) -> float:
        inside = (radius > 3) & (radius < 22)
        means = np.bincount(radius[inside], image[inside]) / np.maximum(np.bincount(radius[inside]), 1)
        return float(np.var(means[radius[inside]]) / np.var(image[inside]))

    assert share_of_circles(rings) > 2 * share_of_circles(noise)
    assert measure(phases, counts=2000.0).std() > 1.2 * clean.std()


def test_missing_angles_and_zingers_leave_their_marks() -> None:
    phases = cylinder()
    clean = measure(phases)
    wedge = measure(phases, span=120.0)
    assert np.abs(wedge - clean).mean() > 0.05 * clean.max()
    struck = measure(phases, zingers=2e-3)
    assert np.abs(struck - clean).max() > 0.1 * clean.max()


def test_a_scene_without_a_volume_is_refused() -> None:
    with pytest.raises(InputError, match="hands on a volume of phases"):
        Tomogram().apply(Sample.empty(), {}, default_rng(0))


def test_the_scenario_gives_slices_with_exact_labels() -> None:
    scenario = micropillar(48, 40)
    sample = scenario(1, 0)
    assert sample.image.shape == (1, 48, 48)
    assert sample.image.tobytes() == scenario(1, 0).image.tobytes()
    assert sample.image[0][sample.labels > 0].mean() > sample.image[0][sample.labels == 0].mean()


def test_a_volume_is_written_slab_by_slab_to_the_same_bytes(tmp_path: Path) -> None:
    volume = PillarVolume(pillar=Micropillar(tile=40, depth=10), tomogram=Tomogram(angles=20, margin=2), slab=4)
    volume.write(tmp_path / "a", seed=3)
    volume.write(tmp_path / "b", seed=3)
    image, labels = open_stack(tmp_path / "a" / "image.zarr"), open_label_volume(tmp_path / "a" / "labels.zarr")
    assert image.shape == labels.shape == (10, 40, 40)
    assert image.values.tobytes() == open_stack(tmp_path / "b" / "image.zarr").values.tobytes()
    of_pillar, _ = volume.draw(3)
    np.testing.assert_array_equal(labels.values[6] > 0, volume.pillar.phases(of_pillar, 6, 7)[0] > 1)
    assert image.attrs["pixel_size"] == pytest.approx(0.06)
    assert json.loads((tmp_path / "a" / "parameters.json").read_text())["seed"] == 3
    with pytest.raises(InputError, match="make the volume larger"):
        volume.write(tmp_path / "c", seed=3, shape=(20, 40, 40))


def test_a_part_of_a_volume_is_a_cut_of_the_whole(tmp_path: Path) -> None:
    volume = PillarVolume(pillar=Micropillar(tile=40, depth=6), tomogram=Tomogram(angles=16, margin=1))
    volume.write(tmp_path / "whole", seed=1)
    volume.write(tmp_path / "part", seed=1, shape=(6, 24, 30))
    whole, part = (open_stack(tmp_path / name / "image.zarr").values for name in ("whole", "part"))
    np.testing.assert_array_equal(part, whole[:, 8:32, 5:35])
