from pathlib import Path

import dask.array
import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.classical.spots import RobustSpots, clean, fill_spots, find_spots
from beamforge.errors import InputError
from beamforge.evaluation.spots import Damage, SpotScores
from beamforge.io import open_labels, open_stack, save_stack
from beamforge.physics.detector import Detector
from beamforge.recipes import classical_verbs
from beamforge.stack import Channel, as_stack, channels_of

CHANNELS = [Channel(mode="H0", omega=0.0), Channel(mode="H0", omega=1.0)]


def frames(seed: int, height: int = 150, width: int = 130) -> np.ndarray:
    """Two frames with spots, of different brightness."""
    rng = default_rng(seed)
    expected = [np.full((height, width), level, np.float32) for level in (200.0, 600.0)]
    return np.stack([Detector().expose(level, 20.0, rng) for level in expected])


@pytest.mark.parametrize("name", ["clean.tif", "clean.zarr"])
def test_strips_give_what_the_whole_gives(tmp_path: Path, name: str) -> None:
    raw = frames(0)
    lazy = as_stack(dask.array.from_array(raw, chunks=(1, 64, 64)), CHANNELS, pixel_size=44.0, units="DN")
    detector = RobustSpots()
    result = clean(lazy, tmp_path / name, detector, mask=tmp_path / "mask.zarr", strip=37, progress=False)
    masks = np.stack([find_spots(frame.astype(np.float32), detector) for frame in raw])
    expected = np.stack([fill_spots(frame, mask)[0] for frame, mask in zip(raw, masks, strict=True)])
    written = open_stack(tmp_path / name)
    assert written.dtype == np.uint16
    np.testing.assert_array_equal(written.values, expected)
    assert channels_of(written) == tuple(CHANNELS)
    assert written.attrs["pixel_size"] == 44.0
    assert (result.spots, result.pixels, result.left) == (int(masks.sum()), raw.size, 0)
    assert masks.sum() > 100


def test_the_verb_writes_a_mask_that_opens_as_labels(tmp_path: Path) -> None:
    raw = frames(1)[:1]
    save_stack(tmp_path / "raw.tif", as_stack(raw))
    result = classical_verbs.clean(tmp_path / "raw.tif", tmp_path / "out.tif", mask=tmp_path / "mask.tif", high=7.0)
    labels = open_labels(tmp_path / "mask.tif")
    assert labels.attrs["class_names"] == ["clean", "spot"]
    assert int((labels.values == 1).sum()) == result.spots
    np.testing.assert_array_equal(open_stack(tmp_path / "out.tif").values[0] != raw[0], labels.values == 1)


def test_simulated_spots_are_removed_and_clean_pixels_left_alone() -> None:
    rng = default_rng(2)
    before = Detector().expose(np.full((300, 300), 220.0, np.float32), 0.0, rng).astype(np.float32)
    spotted = before.copy()
    truth = Detector().gamma.add_to(spotted, 10.0, rng)
    marked = find_spots(spotted, RobustSpots())
    cleaned, _ = fill_spots(spotted, marked)
    scores = SpotScores.of(marked, truth)
    assert scores.precision > 0.97
    # The noise is about 40 DN.
    assert marked[spotted - before > 8 * 40].mean() > 0.97
    damage = Damage.of(spotted, cleaned, truth)
    assert damage.changed < 1e-3
    assert Damage.of(before, cleaned, ~truth).rms < 0.2 * Damage.of(before, spotted, ~truth).rms


@pytest.mark.parametrize(
    ("stack", "out", "message"),
    [
        (as_stack(np.full((2, 40, 40), 3, np.uint16)), "a.tif", "image 0 of the stack: the image has no noise"),
        (as_stack(np.full((40, 40), np.nan, np.float32)), "a.tif", "fewer than 100 finite pixels"),
        (as_stack(np.zeros((40, 40), np.complex64)), "a.tif", "complex64"),
        (as_stack(np.zeros((40, 40), np.float32)), "a.png", r"saved as \.tif or \.zarr"),
    ],
)
def test_what_cannot_be_cleaned_is_refused_and_leaves_no_file(tmp_path: Path, stack, out: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        clean(stack, tmp_path / out, RobustSpots(), progress=False)
    assert not list(tmp_path.iterdir())
