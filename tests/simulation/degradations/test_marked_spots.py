import numpy as np
import pytest
from numpy.random import default_rng
from scipy.ndimage import binary_dilation

from beamforge.errors import InputError
from beamforge.physics.gamma_spots import GammaSpots
from beamforge.simulation import Sample
from beamforge.simulation.degradations.marked_spots import MarkedSpots
from beamforge.simulation.intensities.radiograph import NOISE
from beamforge.stack import as_labels, as_stack
from contracts.step import StepContract


def flat(side: int = 200, noise: float = 30.0) -> Sample:
    extras = {NOISE: np.full((side, side), noise, np.float32)}
    return Sample(np.zeros((1, side, side), np.float32), np.zeros((side, side), np.uint8), extras=extras)


class TestMarkedSpotsContract(StepContract):
    examples = [MarkedSpots(), MarkedSpots(slip=0.5, widen=[0.1, 0.9], spots=GammaSpots(rate=5000.0))]

    def sample(self) -> Sample:
        return flat(48)


def marked(step: MarkedSpots, before: Sample) -> tuple[np.ndarray, np.ndarray]:
    after = step.apply(before, step.draw(before, default_rng(1)), default_rng(2))
    return after.image[0] - before.image[0], after.labels == 1


def test_an_exact_mask_is_what_stands_out_of_the_noise() -> None:
    added, mask = marked(MarkedSpots(visible=3.0, seconds=20.0), flat())
    # Where two spots overlap neither may be seen by itself.
    assert mask.sum() > 100
    np.testing.assert_array_equal(mask <= (added > 90.0), True)
    assert ((added > 90.0) & ~mask).sum() <= 0.02 * mask.sum()


def test_a_slipped_mark_lies_at_most_a_pixel_beside() -> None:
    exact = marked(MarkedSpots(seconds=10.0), flat())[1]
    slipped = marked(MarkedSpots(seconds=10.0, slip=1.0), flat())[1]
    assert (slipped <= binary_dilation(exact, np.ones((3, 3)))).all()
    assert (slipped & exact).sum() < 0.5 * exact.sum()
    assert slipped.sum() == pytest.approx(exact.sum(), rel=0.05)


def test_a_widened_mark_is_twice_as_large() -> None:
    single = GammaSpots(size_99=1.0)
    exact = marked(MarkedSpots(seconds=5.0, spots=single), flat())[1]
    wide = marked(MarkedSpots(seconds=5.0, spots=single, widen=1.0), flat())[1]
    assert (exact <= wide).all()
    assert wide.sum() == pytest.approx(2 * exact.sum(), rel=0.03)


@pytest.mark.parametrize(("visible", "slip", "widen"), [(4.0, 0.0, 0.0), (6.0, 0.5, 0.3), (5.0, 0.2, 0.85)])
def test_how_spots_were_marked_is_measured(visible: float, slip: float, widen: float) -> None:
    before = flat(500)
    noise = default_rng(3).normal(1000.0, 30.0, before.image.shape).astype(np.float32)
    # So faint that many spots lie on either side of what can be seen.
    step = MarkedSpots(visible=visible, slip=slip, widen=widen, seconds=10.0, brightness=0.4)
    after = step.apply(before.replace(image=noise), step.draw(before, default_rng(1)), default_rng(2))
    measured = MarkedSpots.fit(
        as_stack(after.image, [{"mode": "raw"}]), as_labels(after.labels, ["clean", "spot"]), seconds=10.0
    )
    assert measured.visible == pytest.approx(visible, abs=0.5)
    # Some 500 spots are a single visible pixel.
    assert measured.slip.low == pytest.approx(slip, abs=0.08)
    assert measured.widen.low == pytest.approx(widen, abs=0.08)
    assert measured.seconds == step.seconds


def test_too_few_marks_or_several_channels_are_refused() -> None:
    noise = default_rng(0).normal(100.0, 5.0, (2, 40, 40)).astype(np.float32)
    labels = np.zeros((40, 40), np.uint8)
    labels[20, 20] = 1
    marks = as_labels(labels, ["clean", "spot"])
    with pytest.raises(InputError, match="2 channels"):
        MarkedSpots.fit(as_stack(noise, [{"mode": "a"}, {"mode": "b"}]), marks)
    with pytest.raises(InputError, match="annotate a larger part"):
        MarkedSpots.fit(as_stack(noise[:1], [{"mode": "a"}]), marks)


def test_without_a_raw_channel_of_known_noise_it_says_what_to_do() -> None:
    with pytest.raises(InputError, match="after the step 'radiograph'"):
        marked(MarkedSpots(), Sample(np.zeros((2, 20, 20), np.float32), np.zeros((20, 20), np.uint8)))
