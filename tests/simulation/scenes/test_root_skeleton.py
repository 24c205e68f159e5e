import io
import zipfile

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.simulation import Sample
from beamforge.simulation.scenes.root_skeleton import RootSkeleton
from beamforge.simulation.scenes.roots import LATERAL, MAIN
from contracts.step import StepContract

LINE = np.stack([np.zeros(100), np.linspace(0, 20, 100), np.linspace(-5, 5, 100)], axis=1)
RADII = np.where(np.arange(100) < 50, 0.5, 0.2)


class TestRootSkeletonContract(StepContract):
    examples = [RootSkeleton(places=LINE, radii=RADII, tile=40)]

    def sample(self) -> Sample:
        return Sample.empty()


def view(**settings) -> Sample:
    step = RootSkeleton(places=LINE, radii=RADII, tile=200, pixel_size=0.2, scale=1.0, annotation=0.0, **settings)
    parameters = {**step.draw(Sample.empty(), default_rng(1)), "looks_at": 0.5, "offset": [0.0, 0.0]}
    return step.apply(Sample.empty(), parameters, default_rng(2))


def test_turning_shows_the_line_from_its_side() -> None:
    upright, leaning = view(turn=0.0), view(turn=90.0)
    assert np.ptp(np.nonzero(upright.labels)[1]) <= 6
    # 10 mm of depth become 10 mm of width, 50 px, and the roots' own width.
    assert np.ptp(np.nonzero(leaning.labels)[1]) == pytest.approx(50, abs=5)
    for sample in (upright, leaning):
        assert np.ptp(np.nonzero(sample.labels)[0]) == pytest.approx(103, abs=3)


def test_thick_roots_are_main_roots_and_their_path_is_their_diameter() -> None:
    sample = view(turn=0.0, main_radius=0.3)
    rows = [np.nonzero(sample.labels == number)[0].mean() for number in (MAIN, LATERAL)]
    assert rows[0] < rows[1]
    assert sample.extras["root_path"].max() == pytest.approx(1.0, rel=0.1)
    total = sample.extras["root_path"] + sample.extras["soil_path"]
    np.testing.assert_allclose(total, sample.extras["box_depth"], rtol=1e-5)


def test_radii_of_a_segmented_cylinder() -> None:
    _, columns, depths = np.mgrid[:30, :21, :21]
    roots = np.hypot(columns - 10, depths - 10) <= 5
    skeleton = (columns == 10) & (depths == 10)
    step = RootSkeleton.from_volume(roots, skeleton, 0.1)
    np.testing.assert_allclose(step.radii[8:-8], 0.5, atol=0.06)
    assert np.ptp(step.places[:, 1]) == pytest.approx(2.9)


def test_masks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="skeleton has no voxel"):
        RootSkeleton.from_volume(np.ones((3, 3, 3)), np.zeros((3, 3, 3)), 0.1)
    with pytest.raises(InputError, match=r"\(3, 3, 3\), their skeleton \(3, 3, 4\)"):
        RootSkeleton.from_volume(np.ones((3, 3, 3)), np.ones((3, 3, 4)), 0.1)


@pytest.mark.slow
def test_a_measured_root_system_is_projected(real_data) -> None:
    def mask(name: str) -> np.ndarray:
        with zipfile.ZipFile(real_data / "neutron" / "qbi2024" / f"Cropped_{name}_8bit.npy.zip") as archive:
            return np.load(io.BytesIO(archive.read(f"Cropped_{name}_8bit.npy")))[:, :, :400] > 0

    roots, skeleton = mask("prediction"), mask("skeleton") & mask("prediction")
    step = RootSkeleton.from_volume(np.moveaxis(roots, 2, 0), np.moveaxis(skeleton, 2, 0), 0.05)
    parameters = {**step.draw(Sample.empty(), default_rng(1)), "turn": 0.0, "scale": 1.0, "pixel_size": 0.05}
    sample = step.apply(Sample.empty(), {**parameters, "looks_at": 0.5, "offset": [0.0, 0.0]}, default_rng(1))
    assert np.isfinite(sample.extras["root_path"]).all()
    assert 0.001 < (sample.labels > 0).mean() < 0.6
