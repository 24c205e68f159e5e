"""Arrays in configs and draws survive files."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from pydantic import BaseModel, ConfigDict

from beamforge.arrays import Float64Field, UInt8Field, join_arrays, split_arrays

ARRAYS = nps.arrays(st.sampled_from([np.float32, np.int64, np.uint8]), nps.array_shapes(max_dims=3, max_side=4))
KEYS = st.text("abcxyz_0", min_size=1, max_size=4).filter(lambda key: key != "array")
TREES: Any = st.recursive(
    ARRAYS | st.integers() | st.text(max_size=5) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def assert_same(first: Any, second: Any) -> None:
    if isinstance(first, np.ndarray):
        assert first.dtype == second.dtype
        np.testing.assert_array_equal(first, second)
    elif isinstance(first, dict):
        assert list(first) == list(second)
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, list):
        assert len(first) == len(second)
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    else:
        assert first == second


@given(TREES)
def test_split_trees_join_again_after_json(tree: Any) -> None:
    plain, arrays = split_arrays(tree)
    assert_same(join_arrays(json.loads(json.dumps(plain)), arrays), tree)


@given(TREES)
def test_every_array_has_a_name_of_its_own(tree: Any) -> None:
    def count(value: Any) -> int:
        if isinstance(value, np.ndarray):
            return 1
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return sum(count(item) for item in inner)

    assert len(split_arrays(tree)[1]) == count(tree)


def test_names_are_paths() -> None:
    plain, arrays = split_arrays({"draws": [{"seeds": np.arange(3)}]})
    assert plain == {"draws": [{"seeds": {"array": "draws.0.seeds"}}]}
    assert list(arrays) == ["draws.0.seeds"]


def test_numpy_scalars_become_plain_numbers() -> None:
    plain, arrays = split_arrays({"a": np.float32(0.5), "b": (np.int64(3), np.bool_(True))})
    assert json.dumps(plain) == '{"a": 0.5, "b": [3, true]}'
    assert not arrays


def test_a_lost_array_is_not_passed_over() -> None:
    with pytest.raises(KeyError, match="seeds"):
        join_arrays({"seeds": {"array": "seeds"}}, {})


class Holder(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)
    values: Float64Field
    colours: UInt8Field


@given(nps.arrays(np.float64, nps.array_shapes(max_dims=2), elements=st.floats(-1e300, 1e300)))
def test_fields_survive_json_to_the_last_bit(values: np.ndarray) -> None:
    again = Holder.model_validate_json(Holder(values=values, colours=[1, 2]).model_dump_json())
    assert again.values.tobytes() == values.tobytes()
    assert again.colours.dtype == np.uint8


def test_fields_are_copies_and_read_only() -> None:
    mine = np.ones(3)
    holder = Holder(values=mine, colours=np.zeros(1, np.uint8))
    mine[0] = 5
    assert holder.values[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        holder.values[0] = 2


class OfIntegers(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    numbers: UInt8Field


@pytest.mark.parametrize("values", [[300], [-1], [1.5], [float("nan")], [10**30], np.array([300]), {"a": 1}, "abc"])
def test_values_that_a_cast_would_change_are_refused(values: Any) -> None:
    with pytest.raises(ValueError, match="numbers"):
        OfIntegers(numbers=values)


@pytest.mark.parametrize("values", [[0, 255], [1.0, 2.0], [], np.array([7], np.int64), [True]])
def test_whole_numbers_in_range_are_taken_from_any_type(values: Any) -> None:
    np.testing.assert_array_equal(OfIntegers(numbers=values).numbers, np.asarray(values))
