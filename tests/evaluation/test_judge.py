import numpy as np
import pytest
import torch
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.evaluation import (
    Bootstrap,
    MeasuredImage,
    Scores,
    confusion,
    count_confusions,
    evaluate,
    evaluate_image,
    predict_image,
    predict_labels,
    predict_log_probabilities,
    predict_probability,
)
from beamforge.stack import Channel, Classes, as_labels, as_stack


class Nearest:
    """Gives each pixel the class whose level is nearest to the mean of the first channel over a square around it."""

    def __init__(self, levels=(0.0, 1.0, 2.0), reach: int = 0, multiple: int = 1) -> None:
        self.levels, self.halo, self.multiple = np.asarray(levels), reach, multiple
        self.channels = (Channel(mode="a"), Channel(mode="b"))
        self.classes = Classes.numbered(len(levels))
        self.shapes: list[tuple[int, ...]] = []

    def log_probabilities(self, images: np.ndarray) -> np.ndarray:
        assert images.dtype == np.float32
        assert all(side % self.multiple == 0 for side in images.shape[-2:])
        self.shapes.append(images.shape)
        image = np.nan_to_num(images[:, 0], posinf=0.0)
        steps = range(-self.halo, self.halo + 1)
        near = [np.roll(image, (dy, dx), axis=(1, 2)) for dy in steps for dx in steps]
        scores = -((np.mean(near, axis=0)[:, None] - self.levels[None, :, None, None]) ** 2)
        return (scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))).astype(np.float32)


def labelled(count: int = 6, size: tuple[int, int] = (20, 24), noise: float = 0.4, seed: int = 0):
    """Images whose first channel is the class number with noise; the second says nothing."""
    rng = default_rng(seed)
    pairs = []
    for _ in range(count):
        truth = rng.integers(0, 3, size)
        image = np.stack([truth + rng.normal(0, noise, size), rng.normal(size=size)]).astype(np.float32)
        truth[rng.random(size) < 0.1] = 255
        pairs.append((image, truth))
    return pairs


def test_counts_are_those_of_every_image_alone() -> None:
    pairs = labelled()
    found = count_confusions({"it": Nearest()}, pairs, batch=4)["it"]
    for (image, truth), counts in zip(pairs, found, strict=True):
        guess = np.abs(image[0][None] - np.arange(3)[:, None, None]).argmin(axis=0)
        np.testing.assert_array_equal(counts, confusion(truth, guess, 3))


def test_tensors_arrays_generators_and_batches_give_the_same_scores() -> None:
    pairs = labelled()
    tensors = [(torch.from_numpy(image), torch.from_numpy(truth)) for image, truth in pairs]
    expected = evaluate(Nearest(), pairs)
    assert isinstance(expected, Scores)
    for data, batch in ((tensors, 8), (iter(pairs), 1), (pairs, 4), (tuple(tensors), 100)):
        again = evaluate(Nearest(), data, batch=batch)
        assert again.model_dump_json() == expected.model_dump_json()


def test_images_of_several_sizes_are_batched_by_size() -> None:
    pairs = labelled(3) + labelled(2, (8, 9)) + labelled(1)
    predictor = Nearest()
    evaluate(predictor, pairs, batch=2)
    assert [shape[0] for shape in predictor.shapes] == [2, 1, 2, 1]


def test_an_endless_data_set_is_read_to_its_length() -> None:
    class Endless:
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return labelled(1, seed=index)[0]

    assert evaluate(Nearest(), Endless()).tiles == 3


def test_pixels_that_are_not_finite_and_ignored_labels_do_not_count() -> None:
    ((image, truth),) = labelled(1)
    whole = evaluate(Nearest(), [(image, truth)])
    assert whole.pixels == (truth != 255).sum()
    assert whole.dice.interval is None
    image[1, :5] = np.nan
    image[0, 5, 3] = np.inf
    expected = truth.copy()
    expected[:5] = 255
    expected[5, 3] = 255
    assert evaluate(Nearest(), [(image, truth)]).pixels == (expected != 255).sum()


def test_images_with_nothing_to_judge_are_left_out() -> None:
    pairs = labelled(4)
    nothing = (pairs[0][0], np.full_like(pairs[0][1], 255))
    alone = evaluate(Nearest(), pairs)
    assert evaluate(Nearest(), [nothing, *pairs, nothing]).model_dump_json() == alone.model_dump_json()
    with pytest.raises(InputError, match="every label is ignore"):
        evaluate(Nearest(), [nothing])
    with pytest.raises(InputError, match="empty"):
        evaluate(Nearest(), [])


@pytest.mark.parametrize("size", [(20, 24), (17, 31), (3, 5)])
def test_sides_are_filled_up_to_what_the_predictor_needs(size) -> None:
    ((image, _),) = labelled(1, size)
    predictor = Nearest(multiple=8)
    np.testing.assert_array_equal(predict_labels(predictor, image[None]), predict_labels(Nearest(), image[None]))
    assert predictor.shapes[0][-2:] == tuple(-(-side // 8) * 8 for side in size)


@pytest.mark.parametrize(("reach", "multiple", "window"), [(0, 1, 16), (2, 1, 16), (3, 4, 10), (2, 8, 100)])
def test_windows_give_what_the_whole_image_gives(reach, multiple, window) -> None:
    ((image, _),) = labelled(1, (64, 48), noise=1.0)
    predictor = Nearest(reach=reach, multiple=multiple)
    whole = predict_labels(predictor, image[None])[0]
    found = predict_image(predictor, as_stack(image), window)
    # At the image's border the surroundings differ by what the predictor makes up.
    inner = np.s_[reach : 64 - reach, reach : 48 - reach]
    np.testing.assert_array_equal(found[inner], whole[inner])
    each = np.stack([predict_probability(predictor, as_stack(image), number, window) for number in range(3)])
    np.testing.assert_allclose(each.sum(axis=0), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(each.argmax(axis=0), found)
    together = predict_log_probabilities(predictor, as_stack(image), window)
    np.testing.assert_array_equal(np.exp(together), each)


def test_a_measured_image_is_judged_by_grid_tiles_and_all_its_pixels() -> None:
    ((image, truth),) = labelled(1, (50, 70))
    stack, labels = as_stack(image), as_labels(truth, Classes.numbered(3))
    scores = evaluate_image(Nearest(), stack, labels, tile=16, window=24)
    assert scores.tiles == 4 * 5
    guess = predict_labels(Nearest(), image[None])[0]
    np.testing.assert_array_equal(scores.confusion, confusion(truth, guess, 3))
    lazy = stack.chunk({"y": 13, "x": 20})
    assert evaluate_image(Nearest(), lazy, labels, tile=16, window=24).model_dump_json() == scores.model_dump_json()


def test_what_does_not_fit_is_named() -> None:
    pairs = labelled(1)
    image, truth = pairs[0]
    with pytest.raises(InputError, match="3 channels but the predictor takes 2"):
        evaluate(Nearest(), [(np.zeros((3, 4, 4)), np.zeros((4, 4), int))])
    with pytest.raises(InputError, match=r"\(2, 20, 24\).*\(19, 24\)"):
        evaluate(Nearest(), [(image, truth[1:])])
    with pytest.raises(InputError, match="'water'"):
        evaluate_image(Nearest(), as_stack(image), as_labels(truth, ["air", "water", "glass"]))
    with pytest.raises(InputError, match="20×23"):
        MeasuredImage(as_stack(image), as_labels(truth[:, 1:]))


def test_same_seed_same_interval() -> None:
    pairs = labelled()
    first = evaluate(Nearest(), pairs, bootstrap=Bootstrap(seed=4))
    assert first.model_dump_json() == evaluate(Nearest(), pairs, bootstrap=Bootstrap(seed=4)).model_dump_json()
    assert first.dice.interval != evaluate(Nearest(), pairs, bootstrap=Bootstrap(seed=5)).dice.interval
