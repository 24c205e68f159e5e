import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.scenes.roots import LATERAL, MAIN, Roots, grow_system
from contracts.step import StepContract

SMALL = {"main_length": [20.0, 40.0], "lateral_length": [2.0, 8.0]}


class TestRootsContract(StepContract):
    examples = [Roots(tile=32, **SMALL), Roots(tile=24, anywhere=1.0, axes=1, **SMALL)]

    def sample(self) -> Sample:
        return Sample.empty()


def drawn(seed: int, **settings) -> Sample:
    step = Roots(tile=96, **settings)
    return step.apply(Sample.empty(), step.draw(Sample.empty(), default_rng(seed)), default_rng(seed))


def test_labels_are_roots_as_painted_and_the_soil_makes_room_for_them() -> None:
    for seed in range(6):
        sample = drawn(seed, annotation=0.0)
        path, soil = sample.extras["root_path"], sample.extras["soil_path"]
        depth = sample.extras["box_depth"]
        painted = sample.labels > 0
        # A label says that the pixel's centre lies in a root; its path is the mean over the pixel.
        assert (path[painted] > 0).all()
        inside = (depth > 0) & (sample.extras["below"] > 0)
        np.testing.assert_allclose((soil + path)[inside], np.maximum(depth, path)[inside], rtol=1e-5)
        assert (soil[~inside] == 0).all()


def test_a_wider_brush_paints_a_margin() -> None:
    narrow, wide = drawn(3, annotation=0.0, anywhere=0.0), drawn(3, annotation=2.0, anywhere=0.0)
    assert ((narrow.labels == MAIN) <= (wide.labels == MAIN)).all()
    assert (wide.labels == MAIN).sum() > 1.2 * (narrow.labels == MAIN).sum() > 0


def test_most_images_show_a_main_root_when_they_look_at_one() -> None:
    shown = [bool((drawn(seed, anywhere=0.0).labels == MAIN).any()) for seed in range(25)]
    assert np.mean(shown) > 0.9


def test_more_laterals_where_they_are_denser() -> None:
    settings = {"anywhere": 0.0, "second_order": 0.0, "pixel_size": 0.2}
    few, many = (
        np.mean([(drawn(seed, lateral_density=density, **settings).labels == LATERAL).mean() for seed in range(12)])
        for density in (0.02, 0.3)
    )
    assert many > 3 * few


def test_a_system_has_a_shoot_main_roots_and_thinner_laterals() -> None:
    step = Roots(axes=5, lateral_density=0.2)
    roots = grow_system(step.draw(Sample.empty(), default_rng(1)), default_rng(2))
    main = roots.order == 0
    assert len(np.unique(roots.axis[main])) == 6
    assert set(roots.order) == {0, 1, 2}
    assert roots.start[main, 1].min() < 0.0 < roots.start[~main, 1].min()
    for order in (1, 2):
        assert roots.radius[roots.order == order].max() < roots.radius[roots.order == 0].max()


def test_a_box_without_extent_is_refused() -> None:
    with pytest.raises(ValueError, match="depth starts at 0 mm"):
        Roots(depth=[0.0, 5.0])
    with pytest.raises(ValueError, match="at least 1 main root"):
        Roots(axes=[0, 3])
