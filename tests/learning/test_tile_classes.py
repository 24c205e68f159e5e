"""The class of a tile: from its pixels, and from what a scenario drew."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.learning.data import GridTiles, MeasuredTiles, Part, SimulatedDataset, StoredDataset
from beamforge.learning.tile_classes import TileClasses
from beamforge.learning.tile_rules import AnyPixel, DrawnClass
from beamforge.simulation import Sample, Scenario, Step
from beamforge.simulation.dataset import write_dataset
from beamforge.stack import IGNORE, Channel, Classes, as_labels, as_stack


class Scratch(Step):
    """Every other sample has a scratch, now and then so short that no pixel shows it."""

    changes_labels: ClassVar[bool] = True

    def draw(self, sample, rng):
        return {"kind": ["none", "scratch"][int(rng.integers(2))], "length": int(rng.integers(0, 6))}

    def apply(self, sample, parameters, rng):
        labels = np.zeros((8, 8), np.uint8)
        if parameters["kind"] == "scratch":
            labels[3, : parameters["length"]] = 1
        return sample.replace(image=rng.normal(size=(1, 8, 8)).astype(np.float32), labels=labels)


SCENARIO = Scenario(steps=(Scratch(),), classes=Classes(names=("free", "scratched")), channels=(Channel(),))
DRAWN = DrawnClass(step=SCENARIO.keys[0], parameter="kind", values={"clean": "none", "bad": "scratch"})


@given(st.integers(0, 2**31), st.integers(1, 4), st.integers(0, 2))
def test_class_of_pixels_is_as_counted_one_by_one(seed: int, least: int, background: int) -> None:
    rng = default_rng(seed)
    labels = rng.choice(np.array([0, 1, 2, IGNORE], np.uint8), (3, 4), p=[0.5, 0.15, 0.15, 0.2])
    image = np.where(rng.random((2, 3, 4)) < 0.1, np.nan, 1.0).astype(np.float32)
    seen = [int(labels[p]) for p in np.ndindex(3, 4) if labels[p] != IGNORE and np.isfinite(image[:, *p]).all()]
    counts = {number: seen.count(number) for number in range(3) if number != background}
    best = max(counts, key=lambda number: (counts[number], -number))
    expected = best if counts[best] >= least else background if counts[best] == 0 else IGNORE
    rule = AnyPixel(background=background, least=least)
    assert rule(Sample(image, labels)) == (expected if seen else IGNORE)


def test_drawn_classes_of_simulated_and_stored_tiles_are_the_same(tmp_path: Path) -> None:
    write_dataset(SCENARIO, tmp_path / "data.zarr", 12, seed=3)
    simulated = TileClasses(SimulatedDataset(SCENARIO, seed=3, length=12), DRAWN)
    stored = TileClasses(StoredDataset(tmp_path / "data.zarr"), DRAWN)
    later = TileClasses(Part(StoredDataset(tmp_path / "data.zarr"), 4, 8), DRAWN)
    assert simulated.endless
    assert not stored.endless
    assert simulated.classes.names == ("clean", "bad")
    truths = [SCENARIO(3, number).parameters["draws"][SCENARIO.keys[0]]["kind"] for number in range(12)]
    for number in range(12):
        image, label = simulated[number]
        assert label.shape == (1, 1)
        assert label.dtype == torch.int64
        assert label.item() == ["none", "scratch"].index(truths[number])
        assert torch.equal(stored[number][0], image)
        assert torch.equal(stored[number][1], label)
    assert later[0][1].item() == simulated[4][1].item()
    assert simulated.counts() == {"clean": truths.count("none"), "bad": truths.count("scratch")}


def test_measured_tiles_have_the_class_of_what_they_show() -> None:
    labels = np.zeros((16, 24), np.uint8)
    labels[2:5, 9] = 1
    stack = as_stack(default_rng(1).normal(size=(1, 16, 24)).astype(np.float32))
    grid = TileClasses(GridTiles(stack, as_labels(labels, ["free", "crack"]), 8))
    assert [item[1].item() for item in grid] == [0, 1, 0, 0, 0, 0]  # type: ignore[attr-defined]
    doubtful = TileClasses(GridTiles(stack, as_labels(labels, ["free", "crack"]), 8), AnyPixel(least=4))
    assert doubtful[1][1].item() == IGNORE
    balanced = TileClasses(MeasuredTiles(stack, as_labels(labels, ["free", "crack"]), 8, 1, 400, balanced=True))
    cracked = balanced.counts()["crack"]
    # Half of the tiles are centred on a pixel of the crack, and some of the others show it too.
    assert cracked > 200 - 4 * 10


def test_what_gives_no_class_is_named() -> None:
    data = SimulatedDataset(SCENARIO, seed=1, length=3)
    with pytest.raises(InputError, match=r"background is class 2, the labels have 0\.\.1"):
        TileClasses(data, AnyPixel(background=2))
    with pytest.raises(InputError, match="parameter of the step"):
        TileClasses(data, DRAWN.model_copy(update={"parameter": "kin"}))[0]
    with pytest.raises(InputError, match="step that drew"):
        TileClasses(data, DRAWN.model_copy(update={"step": "cracks"}))[0]
    with pytest.raises(InputError, match="which is the value of no class"):
        TileClasses(data, DRAWN.model_copy(update={"values": {"a": 1}}))[0]
    with pytest.raises(ValueError, match="two classes share a value"):
        DrawnClass(step="s", parameter="p", values={"a": 1, "b": 1})
    free = as_labels(np.zeros((8, 8), np.uint8), ["free", "crack"])
    tiles = TileClasses(MeasuredTiles(as_stack(np.ones((1, 8, 8), np.float32)), free, 4, seed=1, length=5))
    with pytest.raises(InputError, match=r"none of the 5 tiles shows crack \(found: .*'free': 5"):
        tiles.counts()
