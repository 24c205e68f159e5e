"""Parts of known thickness."""

import math

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.scenes.parts import THICKNESS, Parts
from contracts.step import StepContract


class TestPartsContract(StepContract):
    examples = [Parts(tile=48), Parts(tile=40, materials=1, fine=3)]

    def sample(self) -> Sample:
        return Sample.empty()


def lay(shape: str, **changes: float) -> Sample:
    part = {
        "shape": shape, "material": 1, "place": [0.5, 0.5], "angle": 0.4, "size": 8.0, "slimness": 0.5,
        "thickness": 3.0, "wall": 0.4, **changes,
    }  # fmt: skip
    step = Parts(tile=120, materials=2, fine=2)
    return step.apply(Sample.empty(), {"pixel_size": 0.1, "count": 1, "parts": [part]}, default_rng(0))


@pytest.mark.parametrize(
    ("shape", "volume"),
    [
        ("ball", 4 / 3 * math.pi * 2.0**3),
        ("disc", math.pi * 2.0**2 * 3.0),
        ("plate", 8.0 * 4.0 * 3.0),
        ("rod", math.pi * 2.0**2 * 8.0),
        ("tube", math.pi * (2.0**2 - 1.2**2) * 8.0),
    ],
)
def test_thickness_adds_up_to_the_volume(shape: str, volume: float) -> None:
    thickness = lay(shape).extras[THICKNESS]
    assert not thickness[0].any()
    # Fine pixels of 0.05 mm; thickness is in cm.
    assert thickness[1].sum(dtype=np.float64) * 10.0 * 0.05**2 == pytest.approx(volume, rel=0.01)


def test_labels_are_where_the_material_is() -> None:
    sample = lay("ball")
    assert set(np.unique(sample.labels)) == {0, 2}
    assert (sample.labels == 2).sum() * 0.1**2 == pytest.approx(math.pi * 2.0**2, rel=0.02)


def test_parts_do_not_overlap() -> None:
    step = Parts(tile=64, count=(9, 9))
    for seed in range(5):
        sample = step.apply(Sample.empty(), step.draw(Sample.empty(), default_rng(seed)), default_rng(0))
        assert ((sample.extras[THICKNESS] > 0).sum(axis=0) <= 1).all()
