import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beamforge.errors import InputError
from beamforge.stack import Channel, Classes, as_labels, as_stack, channels_of, check_pair, classes_of, distinct_colours


def test_channels_survive_a_round_trip() -> None:
    channels = (
        Channel(mode="H0", autocorrelation_length=120.0),
        Channel(mode="transmission"),
        Channel(mode="DF", omega=4.0),
    )
    stack = as_stack(np.zeros((3, 4, 5), np.float32), channels, pixel_size=44.0, units="1")
    assert channels_of(stack) == channels
    assert stack.attrs["pixel_size"] == 44.0
    assert channels[0].label == "H0 120 nm"


def test_labels_carry_their_classes() -> None:
    labels = as_labels([[0, 1], [255, 2]], ["air", "water", "glass"])
    assert labels.dtype == np.uint8
    assert classes_of(labels).names == ("air", "water", "glass")


@given(st.integers(1, 255))
def test_colours_are_distinct(count: int) -> None:
    assert len(set(distinct_colours(count))) == count
    assert Classes.numbered(count).rgb.shape == (count, 3)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.zeros((2, 2, 3)), "colour legend"),
        (np.array([[0.5]]), "whole class numbers"),
        (np.array([[7]]), r"\[7\].*0\.\.1"),
        (np.array([[-1]]), "-1"),
    ],
)
def test_bad_labels_are_named(data, words) -> None:
    with pytest.raises(InputError, match=words):
        as_labels(data, ["a", "b"])


def test_sizes_that_differ_are_both_named() -> None:
    with pytest.raises(InputError, match=r"labels.tif is 512×512 but stack is 512×500 \(y, x\)"):
        check_pair(as_stack(np.zeros((512, 500))), as_labels(np.zeros((512, 512), int)), labels_name="labels.tif")
