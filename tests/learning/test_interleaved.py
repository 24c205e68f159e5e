import numpy as np
import pytest

from beamforge.errors import InputError
from beamforge.learning.data import MeasuredTiles, Part
from beamforge.learning.interleaved import Interleaved
from beamforge.stack import as_labels, as_stack


def tiles(value, classes=("a", "b"), channels=1):
    image = np.full((channels, 20, 20), value, np.float32)
    labels = np.zeros((20, 20), np.uint8)
    labels[:, 10:] = 1
    return MeasuredTiles(as_stack(image), as_labels(labels, classes), 8, 1, 5)


def test_sources_take_turns() -> None:
    mixed = Interleaved([tiles(1.0), tiles(2.0), tiles(1.0)])
    assert [float(mixed[i][0].max()) for i in range(6)] == [1.0, 2.0, 1.0] * 2
    assert len(mixed) == 15
    np.testing.assert_array_equal(mixed[4][1], tiles(2.0)[1][1])


def test_a_source_named_twice_gives_a_new_item_every_time() -> None:
    twice, once = tiles(1.0), tiles(2.0)
    mixed = Interleaved([twice, once, twice])
    for item, (source, place) in enumerate([(twice, 0), (once, 0), (twice, 1), (twice, 2), (once, 1), (twice, 3)]):
        np.testing.assert_array_equal(mixed[item][1], source[place][1])
    assert len({mixed[item][1].numpy().tobytes() for item in (0, 2, 3, 5)}) > 1


def test_finite_sources_start_again() -> None:
    mixed = Interleaved([Part(tiles(1.0), 0, 2), tiles(2.0)])
    np.testing.assert_array_equal(mixed[0][1], mixed[4][1])
    assert mixed.endless


def test_sources_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(InputError, match="no labelled"):
        Interleaved([])
    with pytest.raises(InputError, match="go together"):
        Interleaved([tiles(1.0), tiles(1.0, classes=("a", "c"))])
    with pytest.raises(InputError, match="2 channels"):
        Interleaved([tiles(1.0), tiles(1.0, channels=2)])
