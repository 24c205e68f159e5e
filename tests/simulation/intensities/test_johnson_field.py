import numpy as np
import pytest
import xarray as xr
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.simulation import Sample
from beamforge.simulation.intensities.johnson_field import JohnsonField
from beamforge.stack import as_labels, as_stack
from contracts.step import StepContract, example_sample


def measurement(
    classes: int = 4, channels: int = 3, side: int = 96, seed: int = 3
) -> tuple[xr.DataArray, xr.DataArray]:
    """Smooth skewed noise that hangs together between channels, in stripes of classes."""
    rng = default_rng(seed)
    labels = np.repeat(np.arange(classes), side // classes)[:, None] * np.ones((1, side), int)
    shared = rng.normal(size=(side, side))
    image = np.stack([np.exp(0.2 * (shared + rng.normal(size=shared.shape))) + 2 * labels + c for c in range(channels)])
    return as_stack(image.astype(np.float32)), as_labels(labels)


class TestJohnsonFieldContract(StepContract):
    examples = [
        JohnsonField.fit(*measurement(), correlation="none"),
        JohnsonField.fit(*measurement(), correlation="channels", psf_sigma=1.2),
        JohnsonField.fit(*measurement(), correlation="both", psf_sigma=(0.0, 2.0), marginal="empirical"),
    ]


def test_values_stay_in_the_measured_range_of_their_class() -> None:
    stack, labels = measurement()
    field = JohnsonField.fit(stack, labels, correlation="both")
    sample = Sample(np.zeros((0, 96, 96), np.float32), labels.values)
    image = field.apply(sample, {"psf_sigma": 0.0}, default_rng(1)).image
    for label in range(4):
        inside = image[:, labels.values == label]
        assert (inside >= np.float32(field.model.marginals.low[label])[:, None]).all()
        assert (inside <= np.float32(field.model.marginals.high[label])[:, None]).all()


def test_an_unknown_class_is_refused() -> None:
    field = JohnsonField.fit(*measurement(classes=2))
    with pytest.raises(InputError, match=r"\[2, 3\].*0\.\.1"):
        field.apply(example_sample(classes=4), {"psf_sigma": 0.0}, default_rng(0))
