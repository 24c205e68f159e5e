"""Errors a user can act on.

Every message names the file or the setting, the value found, what was expected and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BeamforgeError(Exception):
    """A run failed for a reason we can name (exit code 1)."""


class FullDiskError(BeamforgeError):
    """There was no space left to write to (exit code 1)."""


class InputError(BeamforgeError, ValueError):
    """What the user gave cannot be used (exit code 2)."""


def one_of(kind: str, given: object, available: Iterable[str]) -> InputError:
    """Build the error for a name that is not among those available, with the nearest one.

    Parameters
    ----------
    kind
        What the name stands for, e.g. ``"architecture"``.
    given
        The name the user wrote.
    available
        The names that would work.
    """
    names = sorted(available)
    near = difflib.get_close_matches(str(given), names, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return InputError(f"unknown {kind} {given!r}{hint} available: {', '.join(names)}")
