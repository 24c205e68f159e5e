import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.learning.data import MeasuredTiles, grid_tiles
from beamforge.learning.pools import Joined, Pool, labelled_by_class
from beamforge.learning.tile_classes import TileClasses
from beamforge.stack import as_labels, as_stack


def constant(value: float, side: int = 12):
    return as_stack(np.full((1, side, side), value, np.float32) + np.eye(side, dtype=np.float32) * 1e-3)


def tiles(value: float, seed: int) -> MeasuredTiles:
    return MeasuredTiles(constant(value), as_labels(np.zeros((12, 12), np.uint8), ["a", "b"]), 4, seed, 10)


def test_a_pool_draws_by_share_and_depends_on_the_number_alone() -> None:
    parts = [tiles(value, seed) for seed, value in enumerate((1.0, 2.0, 3.0))]
    pool = Pool(parts, seed=5, length=6, shares=[1, 0, 3])
    values = np.array([round(float(pool[number][0].median())) for number in range(2000)])
    assert set(values.tolist()) == {1, 3}
    # Binomial with p = 3/4: 4 standard deviations.
    assert abs((values == 3).sum() - 1500) < 4 * np.sqrt(2000 * 3 / 16)
    again = Pool(parts, seed=5, length=6, shares=[1, 0, 3])
    assert again[77][0].numpy().tobytes() == pool[77][0].numpy().tobytes()
    part = parts[values[77] - 1]
    assert pool[77][0].numpy().tobytes() == part[77][0].numpy().tobytes()
    assert pool.endless
    assert len(pool) == 6


def test_joined_data_are_one_after_the_other() -> None:
    parts = [
        grid_tiles(constant(v), as_labels(np.zeros((12, 12), np.uint8), ["a", "b"]), t) for v, t in ((1, 6), (2, 4))
    ]
    joined = Joined(parts)
    assert len(joined) == 4 + 9
    assert [joined.place(number) for number in (0, 3, 4, 12)] == [(0, 0), (0, 3), (1, 0), (1, 8)]
    expected = [parts[0][n] for n in range(4)] + [parts[1][n] for n in range(9)]
    for (image, labels), (image_0, labels_0) in zip(joined, expected, strict=True):
        assert image.numpy().tobytes() == image_0.numpy().tobytes()
        assert labels.numpy().tobytes() == labels_0.numpy().tobytes()
    with pytest.raises(IndexError, match="item 13 of 13"):
        joined[13]


def test_images_by_class_make_tiles_of_that_class() -> None:
    pairs = labelled_by_class({"free": [constant(0.0), constant(0.1)], "crack": [constant(1.0, side=20)]})
    pool = TileClasses(Pool([MeasuredTiles(*pair, 8, 3, 10) for pair in pairs], 4, 200))
    assert pool.classes.names == ("free", "crack")
    for image, label in (pool[number] for number in range(40)):
        assert label.item() == (image.median() > 0.5)
    counts = pool.counts()
    assert sum(counts.values()) == 200


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(InputError, match="crack has none"):
        labelled_by_class({"free": [constant(0.0)], "crack": []})
    with pytest.raises(InputError, match="at least two classes"):
        labelled_by_class({"free": [constant(0.0)]})
    with pytest.raises(InputError, match="no data to put together"):
        Pool([], 1, 1)
    finite = grid_tiles(constant(1), as_labels(np.zeros((12, 12), np.uint8), ["a", "b"]), 6)
    with pytest.raises(InputError, match="a pool draws from endless data"):
        Pool([finite], 1, 1)
    other = grid_tiles(constant(1), as_labels(np.zeros((12, 12), np.uint8), ["a", "c"]), 6)
    with pytest.raises(InputError, match=r"data 1 has 1 channels and the classes \['a', 'c'\]"):
        Joined([finite, other])
    with pytest.raises(InputError, match=r"shares are \[1.0, -1.0\]"):
        Pool([tiles(1, 1), tiles(2, 2)], 1, 1, shares=[1, -1])
