import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beamforge.errors import InputError
from beamforge.reporting.numbers import format_number, format_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.95321, "0.9532"),
        (12.3456, "12.35"),
        (-0.5, "−0.5"),
        (20_000, "20,000"),
        (0, "0"),
        (1.5e8, "1.5\u202f×\u202f10⁸"),
        (-2.5e-7, "−2.5\u202f×\u202f10⁻⁷"),
        (math.inf, "∞"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("value", "interval", "unit", "text"),
    [
        (0.953123, (0.948, 0.957), "", "0.953 [0.948, 0.957]"),
        (0.95, (0.90, 1.0), "1", "0.95 [0.90, 1.00]"),
        (0.852, (0.840, 0.865), "", "0.852 [0.840, 0.865]"),
        (281.7, (250.0, 310.0), "s", "282 [250, 310] s"),
        (0.5, (0.5, 0.5), "", "0.5 [0.5, 0.5]"),
        (7.25, None, "s", "7.25 s"),
    ],
)
def test_values_with_intervals(value: float, interval: tuple[float, float] | None, unit: str, text: str) -> None:
    assert format_value(value, interval, unit) == text


def test_an_interval_in_the_wrong_order_is_refused() -> None:
    with pytest.raises(InputError, match="lower end"):
        format_value(1.0, (2.0, 0.0))


@given(st.floats(-1e5, 1e5), st.floats(1e-6, 1e4))
def test_rounding_moves_a_value_by_far_less_than_its_interval(value: float, half: float) -> None:
    text = format_value(value, (value - half, value + half))
    if "×" in text:
        return
    number = float(re.match(r"[^ ]+", text)[0].replace("−", "-").replace(",", ""))
    assert abs(number - value) <= half / 7 + 1e-8
