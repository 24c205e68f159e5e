import pytest
from hypothesis import given
from hypothesis import strategies as st

from beamforge.errors import InputError
from beamforge.learning.plan import Plan

small = st.integers(1, 12)


@given(length=small, batch=small, epochs=st.integers(1, 4), steps=st.none() | small, seed=st.integers(0, 2**32))
def test_endless_data_is_walked_through_without_repeating(length, batch, epochs, steps, seed) -> None:
    plan = Plan(length, True, batch, epochs, steps, seed)
    taken = [number for samples in plan.batches(0) for number in samples]
    assert taken == list(range(len(taken)))
    assert len(taken) == epochs * (steps * batch if steps else length)


@given(length=small, batch=small, epochs=st.integers(1, 4), steps=st.none() | small, seed=st.integers(0, 2**32))
def test_finite_data_is_used_equally_often_whatever_the_epoch_length(length, batch, epochs, steps, seed) -> None:
    plan = Plan(length, False, batch, epochs, steps, seed)
    taken = [number for samples in plan.batches(0) for number in samples]
    for first in range(0, len(taken) - length + 1, length):
        assert sorted(taken[first : first + length]) == list(range(length))
    rest = taken[len(taken) // length * length :]
    assert len(set(rest)) == len(rest)


@given(batch=small, steps=st.none() | small, start=st.integers(0, 10), endless=st.booleans())
def test_a_start_in_the_middle_continues_the_whole(batch, steps, start, endless) -> None:
    plan = Plan(11, endless, batch, 3, steps, 5)
    assert list(plan.batches(start)) == list(plan.batches(0))[start:]
    assert len(list(plan.batches(0))) == plan.total_steps == 3 * plan.steps_per_epoch


def test_passes_and_seeds_have_orders_of_their_own() -> None:
    first, second = list(Plan(50, False, 50, 2, None, 1).batches(0))
    other = next(iter(Plan(50, False, 50, 2, None, 2).batches(0)))
    assert first != second
    assert first != other


def test_empty_data_is_refused() -> None:
    with pytest.raises(InputError, match="empty"):
        Plan(0, True, 1, 1, None, 0)
