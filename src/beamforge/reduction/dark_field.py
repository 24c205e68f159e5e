"""Dark field: how much of the fringes' visibility the sample's structure took."""

from __future__ import annotations

import numpy as np

from beamforge.arrays import Float32
from beamforge.errors import InputError
from beamforge.reduction.fringes import Fringes


def dark_field(sample: Fringes, open_beam: Fringes | None = None) -> Float32:
    """Compute DF = -ln(H1/H0), with an open beam -ln[(H1/H0) / (H1/H0 of the open beam)].

    Parameters
    ----------
    sample, open_beam
        Fringe parameters (y, x).

    Returns
    -------
    float32 (y, x); NaN where H0 or H1 of either is not positive or not finite.

    Raises
    ------
    InputError
        If the sizes differ, or H0 is not positive anywhere.
    """
    logarithm = _log_visibility(sample, "the sample")
    if open_beam is None:
        return -logarithm
    if sample.h0.shape != open_beam.h0.shape:
        ours, theirs = ("×".join(map(str, fringes.h0.shape)) for fringes in (sample, open_beam))
        raise InputError(f"the open beam is {theirs} but the sample is {ours} (y, x); crop or pad one of them")
    return _log_visibility(open_beam, "the open beam") - logarithm


def _log_visibility(fringes: Fringes, name: str) -> Float32:
    valid = np.isfinite(fringes.h0) & np.isfinite(fringes.h1) & (fringes.h0 > 0.0) & (fringes.h1 > 0.0)
    if not (fringes.h0 > 0.0).any():
        raise InputError(
            f"H0 of {name} is not positive in any pixel, so it has no dark field; is the dark current the right one?"
        )
    logarithm = np.full(fringes.h0.shape, np.nan, np.float32)
    logarithm[valid] = np.log(fringes.h1[valid] / fringes.h0[valid])
    return logarithm
