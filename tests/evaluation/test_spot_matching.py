from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import default_rng

from beamforge.errors import InputError
from beamforge.evaluation.spot_matching import LEAST_OVERLAP, SpotJudgement, Spots, match_spots, shared_area_errors


def boxes(*places: tuple[int, int, int, int], size: int = 40) -> Spots:
    """Spots of (top, left, height, width)."""
    numbers = np.zeros((size, size), np.int64)
    for number, (top, left, height, width) in enumerate(places, 1):
        numbers[top : top + height, left : left + width] = number
    return Spots.of_numbers(numbers)


def random_spots(seed: int, count: int) -> Spots:
    rng = default_rng(seed)
    corners = rng.integers(0, 12, (count, 2))
    sides = rng.integers(2, 8, (count, 2))
    return boxes(*((int(y), int(x), int(h), int(w)) for (y, x), (h, w) in zip(corners, sides, strict=True)), size=20)


def overlap(found: Spots, f: int, true: Spots, t: int) -> float:
    a, b = found.numbers == f + 1, true.numbers == t + 1
    return float((a & b).sum() / (a | b).sum())


@given(seed=st.integers(0, 10_000), found=st.integers(1, 5), true=st.integers(1, 5))
def test_matching_is_the_best_of_all_assignments(seed: int, found: int, true: int) -> None:
    a, b = random_spots(seed, found), random_spots(seed + 1, true)
    matching = match_spots(a, b)
    table = np.array([[overlap(a, f, b, t) for t in range(len(b))] for f in range(len(a))])
    table[table < LEAST_OVERLAP] = 0.0
    padded = np.zeros((5, 5))
    padded[: len(a), : len(b)] = table
    best = max(sum(padded[f, t] for t, f in enumerate(order)) for order in permutations(range(5)))
    chosen = [(int(f), t) for t, f in enumerate(matching.partners) if f >= 0]
    assert len({f for f, _ in chosen}) == len(chosen)
    assert all(table[pair] >= LEAST_OVERLAP for pair in chosen)
    assert sum(table[pair] for pair in chosen) == pytest.approx(best)


@given(seed=st.integers(0, 10_000))
def test_alarms_merged_and_split_are_those_of_a_loop(seed: int) -> None:
    a, b = random_spots(seed, 6), random_spots(seed + 7, 6)
    either = default_rng(seed).random((20, 20)) > 0.97
    matching = match_spots(a, b, either)
    alarms = merged = split = 0
    for f in range(1, len(a) + 1):
        region = a.numbers == f
        alarms += not (region & ((b.numbers > 0) | either)).any()
        merged += sum((region & (b.numbers == t)).sum() > 0.5 * b.areas[t - 1] for t in range(1, len(b) + 1)) > 1
    for t in range(1, len(b) + 1):
        region = b.numbers == t
        parts = [a.numbers == f for f in range(1, len(a) + 1)]
        mostly = [p & region for p in parts if (p & region).sum() > 0.5 * p.sum()]
        split += len(mostly) > 1 and sum(p.sum() for p in mostly) > 0.5 * region.sum()
    assert (matching.alarms, matching.merged, matching.split) == (alarms, merged, split)


def test_errors_of_centre_and_area() -> None:
    matching = match_spots(boxes((10, 10, 4, 4)), boxes((10, 11, 4, 5)))
    np.testing.assert_allclose(matching.centroid_errors, [1.5])
    np.testing.assert_allclose(matching.area_errors, [0.2])


def test_areas_are_compared_on_the_spots_that_both_found() -> None:
    true = boxes((0, 0, 4, 4), (10, 10, 4, 4), (20, 20, 4, 4))
    first = match_spots(boxes((0, 0, 4, 5), (10, 10, 4, 6)), true)
    second = match_spots(boxes((30, 0, 4, 4), (20, 20, 4, 4), (10, 10, 2, 4)), true)
    np.testing.assert_allclose(shared_area_errors(first, second), [[0.5], [0.5]])
    np.testing.assert_allclose(shared_area_errors(first, first), [[0.25, 0.5], [0.25, 0.5]])
    with pytest.raises(InputError, match="the same"):
        shared_area_errors(first, match_spots(boxes(), boxes((0, 0, 4, 4))))


def test_recall_by_ratio_and_area() -> None:
    true = boxes((0, 0, 3, 3), (10, 10, 6, 6), (20, 20, 3, 3), (30, 30, 6, 6))
    found = boxes((0, 0, 3, 3), (10, 10, 6, 6), (36, 0, 2, 2))
    judged = SpotJudgement([match_spots(found, true)], [np.array([1.5, 2.5, 2.5, 5.0])])
    assert judged.recall()[0] == 0.5
    assert judged.recall((1.0, 3.0))[0] == pytest.approx(2 / 3)
    assert judged.recall(area=(0, 20))[0] == 0.5
    assert np.isnan(judged.recall((9.0, 10.0))[0])
    assert judged.alarms == 1.0
    assert judged.precision == pytest.approx(2 / 3)
    # Two perfect matches, two missed, one false: 2 / (2 + 1 + 0.5).
    assert judged.quality == pytest.approx(2 / 3.5)


def test_spots_too_faint_to_ask_for_are_no_alarms() -> None:
    either = np.zeros((40, 40), bool)
    either[20:22, 20:22] = True
    assert match_spots(boxes((19, 19, 3, 3)), boxes((0, 0, 3, 3)), either).alarms == 0


def test_nothing_found_and_nothing_there() -> None:
    empty = boxes()
    matching = match_spots(empty, boxes((1, 1, 3, 3)))
    assert (matching.alarms, matching.recalled.sum()) == (0, 0)
    assert match_spots(boxes((1, 1, 3, 3)), empty).alarms == 1


def test_regions_are_numbered_without_gaps() -> None:
    spots = Spots.of_numbers(np.array([[0, 9, 9], [0, 0, 4]]))
    np.testing.assert_array_equal(spots.areas, [1, 2])
    np.testing.assert_allclose(spots.centres, [[1.0, 2.0], [0.0, 1.5]])


def test_sizes_must_agree() -> None:
    with pytest.raises(InputError, match="found in"):
        match_spots(boxes(), boxes(size=30))
    with pytest.raises(InputError, match="signal-to-noise"):
        SpotJudgement([match_spots(boxes(), boxes((1, 1, 2, 2)))], [np.zeros(0)])
