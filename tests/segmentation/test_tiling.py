"""The laws that tiles along an axis obey."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beamforge.errors import InputError
from beamforge.segmentation.tiling import Tiling


@st.composite
def tilings(draw: st.DrawFn) -> Tiling:
    halo, multiple = draw(st.integers(0, 60)), draw(st.sampled_from([1, 2, 3, 8, 32]))
    extra = draw(st.integers(0, 200))
    with pytest.raises(InputError) as refused:
        Tiling.choose(0, halo, multiple)
    smallest = int(str(refused.value).rsplit(" ", 1)[1])
    return Tiling.choose(smallest + extra, halo, multiple)


@given(tilings(), st.integers(1, 5000))
def test_weights_of_neighbours_add_up_to_one(tiling: Tiling, size: int) -> None:
    total, tiles = np.zeros(size), np.zeros(size, int)
    for span in tiling.spans(size):
        assert span.weights.shape == (span.end - span.begin,)
        assert (span.weights > 0).all()
        total[span.begin : span.end] += span.weights
        tiles[span.begin : span.end] += 1
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert tiles.max() <= 2


@given(tilings(), st.integers(1, 5000))
def test_final_pixels_come_once_and_in_order(tiling: Tiling, size: int) -> None:
    finals = [np.arange(size)[span.final] for span in tiling.spans(size)]
    np.testing.assert_array_equal(np.concatenate(finals), np.arange(size))


@given(tilings(), st.integers(1, 5000))
def test_tiles_keep_their_halo_and_the_pooling_grid(tiling: Tiling, size: int) -> None:
    spans = tiling.spans(size)
    padded = -(-size // tiling.multiple) * tiling.multiple
    assert spans[0].start == 0
    assert spans[-1].stop == padded
    for span in spans:
        assert span.start % tiling.multiple == span.stop % tiling.multiple == 0
        assert span.stop - span.start <= tiling.tile
        assert span.start == 0 or span.begin - span.start >= tiling.halo
        assert span.stop == padded or span.stop - span.end >= tiling.halo
        assert span.fade_in + span.fade_out <= span.end - span.begin


@given(tilings(), st.integers(1, 5000))
def test_no_more_tiles_than_needed(tiling: Tiling, size: int) -> None:
    padded = -(-size // tiling.multiple) * tiling.multiple
    fewer = len(tiling.spans(size)) - 1
    assert fewer == 0 or fewer * tiling.tile - (fewer - 1) * tiling.overlap < padded


def test_little_is_done_twice_by_default() -> None:
    for halo in (0, 16, 32, 64, 128):
        spans = Tiling.choose(None, halo, 32).spans(20_000)
        assert sum(span.stop - span.start for span in spans) < 1.4 * 20_000


def test_a_tile_too_small_for_its_overlaps_is_refused() -> None:
    with pytest.raises(InputError, match=r"a tile of 96 px is too small for a halo of 40 px.*choose at least (\d+)"):
        Tiling.choose(96, 40, 32)
    with pytest.raises(InputError, match="halo is -1 px"):
        Tiling.choose(None, -1, 1)
