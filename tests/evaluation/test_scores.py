import json

import numpy as np
import pytest
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.evaluation import Bootstrap, Scores

COUNTS = default_rng(3).integers(0, 50, size=(10, 3, 3)) + 150 * np.eye(3, dtype=np.int64)
NAMES = ("air", "water", "glass")


def by_hand(counts: np.ndarray) -> dict[str, float]:
    """The scores spelled out class by class and tile by tile."""
    tile_dice, tile_iou, tile_micro = [], [], []
    for tile in counts:
        dices, ious = [], []
        for k in range(len(tile)):
            both, true, guessed = tile[k, k], tile[k, :].sum(), tile[:, k].sum()
            if true:
                dices.append(2 * both / (true + guessed))
                ious.append(both / (true + guessed - both))
        tile_dice.append(sum(dices) / len(dices))
        tile_iou.append(sum(ious) / len(ious))
        tile_micro.append(np.trace(tile) / tile.sum())
    total = counts.sum(0)
    pooled = [total[k, k] / (total[k, :].sum() + total[:, k].sum() - total[k, k]) for k in range(len(total))]
    return {
        "dice": np.mean(tile_dice),
        "dice_micro": np.mean(tile_micro),
        "mean_iou": np.mean(pooled),
        "mean_iou_tiles": np.mean(tile_iou),
        "pixel_accuracy": np.trace(total) / total.sum(),
    }


def test_headlines_are_those_computed_by_hand() -> None:
    counts = COUNTS.copy()
    counts[:4, 1, :] = 0  # no water in these tiles, though some is predicted
    scores = Scores.from_confusions(counts, NAMES)
    for name, expected in by_hand(counts).items():
        estimate = getattr(scores, name)
        assert estimate.value == pytest.approx(expected, rel=1e-12), name
        assert estimate.interval[0] < estimate.value < estimate.interval[1]


def test_scores_survive_json() -> None:
    counts = COUNTS.copy()
    counts[:, 2, :] = counts[:, :, 2] = 0
    scores = Scores.from_confusions(counts, NAMES, Bootstrap(method="bca", resamples=100))
    text = scores.model_dump_json()
    assert json.loads(text)["per_class"][2] == {"name": "glass", "pixels": 0, "iou": None, "dice": None}
    assert "NaN" not in text
    again = Scores.model_validate_json(text)
    assert again.model_dump_json() == text
    np.testing.assert_array_equal(again.confusion, counts.sum(0))
    assert np.isnan(again.row_normalised()[2]).all()
    np.testing.assert_allclose(again.row_normalised()[:2].sum(axis=1), 1)


def test_rows_name_every_score_once() -> None:
    rows = Scores.from_confusions(COUNTS[:1], NAMES).rows()
    names = [(row["score"], row["class"]) for row in rows]
    assert len(set(names)) == len(names) == 5 + 2 * 3
    assert all(row["low"] is None and row["high"] is None for row in rows)


def test_nothing_to_judge_is_an_error() -> None:
    with pytest.raises(InputError, match="no pixel to judge"):
        Scores.from_confusions(np.zeros((3, 3, 3), np.int64), NAMES)
    with pytest.raises(InputError, match=r"\(10, 3, 3\)"):
        Scores.from_confusions(COUNTS, NAMES[:2])
