import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.learning.augmented import Augmented
from beamforge.learning.data import MeasuredTiles, grid_tiles
from beamforge.learning.loading import load
from beamforge.learning.tile_classes import TileClasses
from beamforge.simulation import Step
from beamforge.simulation.degradations.flip import Flip
from beamforge.simulation.degradations.rotation import Rotation
from beamforge.simulation.degradations.tone import Tone
from beamforge.stack import as_labels, as_stack

STEPS = (Flip(), Rotation(angle=(-20, 20)), Tone())


def measured(side: int = 24):
    image = default_rng(1).normal(size=(1, side, side)).astype(np.float32)
    image[0, :, :8] += 100
    labels = np.zeros((side, side), np.uint8)
    labels[:, :8] = 1
    return as_stack(image), as_labels(labels, ["dark", "bright"])


def test_finite_data_becomes_endless_each_pass_in_another_order() -> None:
    tiles = grid_tiles(*measured(), 8)
    varied = Augmented(tiles, [Flip()], seed=3)
    assert varied.endless
    assert len(varied) == 9
    sources = [{float(np.sort(tiles.arrays(n)[0].ravel())[0]): n for n in range(9)}]
    passes = [[sources[0][float(np.sort(varied.arrays(9 * p + n)[0].ravel())[0])] for n in range(9)] for p in range(3)]
    assert all(sorted(order) == list(range(9)) for order in passes)
    assert passes[0] != passes[1]


def test_labels_follow_the_image_and_every_worker_makes_the_same(tmp_path) -> None:
    varied = Augmented(MeasuredTiles(*measured(), 12, seed=2, length=6), STEPS, seed=5)
    for index in range(20):
        image, labels = varied[index]
        middle = (image.max() + image.min()) / 2
        if labels.unique().numel() == 2:
            assert ((image[0] > middle) == (labels == 1)).float().mean() > 0.95
    order = [[0, 30], [7]]
    first, other = (list(load(varied, order, workers)) for workers in (0, 2))
    for (image, labels), (image_0, labels_0) in zip(first, other, strict=True):
        assert image.numpy().tobytes() == image_0.numpy().tobytes()
        assert labels.numpy().tobytes() == labels_0.numpy().tobytes()


def test_tile_classes_of_varied_tiles_and_what_was_drawn() -> None:
    varied = Augmented(grid_tiles(*measured(), 8), STEPS, seed=5)
    tiles = TileClasses(varied)
    for index in range(9):
        image, label = tiles[index]
        assert label.item() == (image.median() > 50)
    drawn = varied.sample(4).parameters["augmentation"]
    assert [step["step"] for step in drawn] == ["flip", "rotation", "tone"]
    assert -20 <= drawn[1]["angle"] <= 20


def test_what_cannot_vary_tiles_is_refused() -> None:
    tiles = grid_tiles(*measured(), 8)
    with pytest.raises(InputError, match="no step to vary"):
        Augmented(tiles, [], seed=1)

    class Halved(Step):
        def apply(self, sample, parameters, rng):
            return sample.replace(image=sample.image[:, ::2], labels=sample.labels[::2])

    with pytest.raises(InputError, match=r"make \(1, 4, 8\) of \(1, 8, 8\)"):
        Augmented(tiles, [Halved()], seed=1)[0]
