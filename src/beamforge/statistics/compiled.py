"""Compilation of hot loops with numba, typed so that strict checks see through the decorators.

No fast-math is switched on: the order of every sum is the one written, so that simulated bytes do not depend on the
processor's vector width.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function at its first call; other threads run on while it works."""
    return cast(F, numba.njit(nogil=True, cache=True)(function))


def inlined(function: F) -> F:
    """Copy a function into every compiled function that calls it, so that loops around it can be vectorised."""
    return cast(F, numba.njit(nogil=True, inline="always")(function))


def elementwise(signature: str) -> Callable[[Callable[..., float]], Callable[..., Any]]:
    """Compile a function of scalars into one that broadcasts over arrays."""

    def decorate(function: Callable[..., float]) -> Callable[..., Any]:
        vectorize: Any = numba.vectorize
        return cast(Callable[..., Any], vectorize([signature], nopython=True, cache=True)(function))

    return decorate
