"""Networks that compute at a lower resolution than their images have."""

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.evaluation import predict_image
from beamforge.learning import NetworkConfig, Scaling, Segmenter, TrainingConfig, create_network, train
from beamforge.learning.context import context_radius
from beamforge.learning.cost import count_macs
from beamforge.learning.data import LabelledImages
from beamforge.learning.segmenter import ModelDescription
from beamforge.stack import Channel, Classes, as_stack
from contracts.architecture import images

SMALL = NetworkConfig(architecture="unet", encoder="resnet18", options={"encoder_depth": 3})
TINY = NetworkConfig(architecture="attention_unet", options={"width": 4, "depth": 2})


class FarMarks(LabelledImages):
    """Images 64 px wide whose class everywhere is told by stripes of one pixel at the left border alone."""

    endless = True

    def __init__(self, seed: int, length: int) -> None:
        super().__init__(Classes.numbered(2), (Channel(),), length)
        self.seed = seed

    def arrays(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = default_rng([self.seed, index])
        image, label = rng.normal(0, 0.1, (1, 32, 64)).astype(np.float32), int(rng.integers(2))
        image[0, label::2, :16] += 2
        return image, np.full((32, 64), label, dtype=np.uint8)


def test_it_learns_from_fine_marks_that_are_far_away(tmp_path) -> None:
    training = TrainingConfig(
        epochs=1, steps_per_epoch=100, batch=4, learning_rate=1e-2, precision="fp32", device="cpu", threads=1, seed=2
    )
    network = NetworkConfig(architecture="attention_unet", options={"width": 4, "depth": 3}, shrink=4)
    trained = train(network, training, FarMarks(1, 16), FarMarks(2, 16), tmp_path, simulated=True)
    unseen = [FarMarks(3, 16).arrays(number) for number in range(16)]
    found = trained.log_probabilities(np.stack([image for image, _ in unseen])).argmax(axis=1)
    # Averaging the pixels of a block would have wiped the stripes out.
    assert (found == np.stack([labels for _, labels in unseen])).mean() > 0.98


def test_it_sees_as_many_times_further_for_a_share_of_the_operations() -> None:
    radii, macs = [], []
    for shrink in (1, 4):
        network = create_network(SMALL.model_copy(update={"shrink": shrink}), 1, 2, seed=1).eval()
        side = 80 * shrink
        radii.append(context_radius(network, images(1, 1, side, side)))
        macs.append(count_macs(network, 1, (192, 192)))
    assert radii[1] > 2.5 * radii[0]
    assert macs[1] < macs[0] / 10


@pytest.mark.parametrize("shrink", [2, 3])
def test_windows_with_a_halo_give_what_the_whole_image_gives(shrink: int) -> None:
    config = TINY.model_copy(update={"shrink": shrink})
    network = create_network(config, 1, 3, seed=4)
    description = ModelDescription(
        network=config,
        channels=(Channel(),),
        classes=Classes.numbered(3),
        scaling=Scaling(offset=np.zeros(1), scale=np.ones(1)),
        tile=96,
        halo=16 * shrink,  # eight convolutions, some at half the resolution, reach no further
        provenance={},
    )
    made = Segmenter(network, description, "cpu")
    image = as_stack(images(1, 1, 131, 203)[0].numpy(), (Channel(),))
    whole = predict_image(made, image, 300)
    assert len(np.unique(whole)) > 1
    np.testing.assert_array_equal(predict_image(made, image, 5 * made.multiple), whole)


def test_a_network_at_full_resolution_is_named_as_ever() -> None:
    assert "shrink" not in SMALL.what_decides()
    assert SMALL.model_copy(update={"shrink": 2}).what_decides()["shrink"] == 2
    with pytest.raises(ValueError, match="shrink"):
        NetworkConfig(shrink=0)
