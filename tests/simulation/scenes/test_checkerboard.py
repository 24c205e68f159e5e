import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.simulation import Sample
from beamforge.simulation.scenes.checkerboard import Checkerboard, balanced_draw, balanced_width
from contracts.step import StepContract


class TestCheckerboardContract(StepContract):
    examples = [
        Checkerboard(classes=4, tile=50),
        Checkerboard(classes=13),
        Checkerboard(classes=2, tile=20, width=7),
        Checkerboard(classes=5, tile=64, width=[3, 70]),
    ]

    def sample(self) -> Sample:
        return Sample.empty()


def test_width_of_the_paper() -> None:
    # Sathe et al. 2024: tiles of 192 px and 13 classes allow squares of at most 54 px; they take 50.
    assert balanced_width(192, 13) == 54


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32))
def test_every_class_equally_often(classes: int, rows: int, columns: int, seed: int) -> None:
    counts = np.bincount(balanced_draw(classes, (rows, columns), default_rng(seed)).ravel(), minlength=classes)
    assert counts.max() - counts.min() <= 1


@given(st.integers(1, 20), st.integers(8, 100), st.integers(0, 2**32))
def test_squares_are_whole_except_at_the_border(width: int, tile: int, seed: int) -> None:
    step = Checkerboard(classes=5, tile=tile, width=width)
    parameters = step.draw(Sample.empty(), default_rng(seed))
    labels = step.apply(Sample.empty(), parameters, default_rng(0)).labels
    assert labels.shape == (tile, tile)
    for axis in (0, 1):
        changes = np.flatnonzero((np.diff(labels.astype(int), axis=axis) != 0).any(axis=1 - axis)) + 1
        assert ((changes + parameters["offset"][axis]) % width == 0).all()


def test_edges_fall_everywhere() -> None:
    step = Checkerboard(classes=6, tile=60, width=20)
    positions = np.zeros(60)
    for seed in range(1500):
        labels = step.apply(Sample.empty(), step.draw(Sample.empty(), default_rng(seed)), default_rng(0)).labels
        positions[1:] += (np.diff(labels.astype(int), axis=1) != 0).mean(axis=0)
    assert positions[1:].min() > 0.6 * positions[1:].mean()


def test_widths_of_an_interval_are_all_drawn_and_seen() -> None:
    step = Checkerboard(classes=250, tile=40, width=(4, 8))
    widths = set()
    for seed in range(60):
        parameters = step.draw(Sample.empty(), default_rng(seed))
        row = step.apply(Sample.empty(), parameters, default_rng(0)).labels[0].astype(int)
        changes = np.flatnonzero(np.diff(row))
        assert set(np.diff(changes)) == {parameters["width"]}
        widths.add(parameters["width"])
    assert widths == {4, 5, 6, 7, 8}


def test_a_width_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 px"):
        Checkerboard(classes=3, width=[0, 5])


def test_a_class_count_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="classes"):
        Checkerboard(classes=0)
