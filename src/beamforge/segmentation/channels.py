"""Whether a stack's channels are those a predictor was made for."""

from __future__ import annotations

import math
from collections.abc import Sequence

from beamforge.errors import InputError
from beamforge.stack import Channel

_FREE = frozenset({"z", "exposure"})
"""Coordinates that may differ: which slice it is, and how long it was exposed."""

_TOLERANCE = 0.01


def check_channels(expected: Sequence[Channel], found: Sequence[Channel]) -> None:
    """Refuse a stack whose channels differ from the predictor's in number, mode or coordinates.

    Coordinates may differ by 1 %, as calibrations do; exposure and slice number do not matter.

    Raises
    ------
    InputError
        Naming the first channel that differs.
    """
    if len(found) != len(expected):
        raise InputError(
            f"the stack has {len(found)} channels ({_some(found)}), the predictor was made for {len(expected)} "
            f"({_some(expected)}); select or reduce the same ones"
        )
    for number, (wanted, given) in enumerate(zip(expected, found, strict=True)):
        if not _same(wanted, given):
            raise InputError(
                f"channel {number} of the stack is {given.label!r}, the predictor was made for {wanted.label!r} there; "
                "put the channels in the same order and describe them alike"
            )


def _same(wanted: Channel, given: Channel) -> bool:
    numbers, others = wanted.numbers, given.numbers
    return wanted.mode == given.mode and all(
        name in others and math.isclose(value, others[name], rel_tol=_TOLERANCE)
        for name, value in numbers.items()
        if name not in _FREE
    )


def _some(channels: Sequence[Channel]) -> str:
    labels = [channel.label for channel in channels]
    return ", ".join(labels if len(labels) <= 4 else [*labels[:2], "…", labels[-1]])
