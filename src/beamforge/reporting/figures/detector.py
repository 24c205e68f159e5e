"""How the signal over the noise of a detector grows with the exposure."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from beamforge.physics.fitted_detector import FittedDetector
from beamforge.reporting.style import FULL_WIDTH, MUTED, SERIES, new_figure, styled


@styled
def signal_over_noise(fitted: FittedDetector) -> Figure:
    """Draw the signal over noise of a pixel over the detected neutrons.

    Points are the open beams the detector was fitted to; the line is the root of the number of neutrons times what
    spread and photons leave of it, with read-out noise; the dashed line is that of counting alone.
    """
    detector, exposures = fitted.detector, fitted.report.exposures
    neutrons = np.array([exposure.level for exposure in exposures]) / detector.gain
    reach = np.geomspace(neutrons.min() / 10.0, neutrons.max() * 3.0, 100)
    figure = new_figure(FULL_WIDTH * 0.7, 3.4)
    axes = figure.subplots()
    axes.loglog(reach, np.sqrt(reach), color=MUTED, linestyle="--", label="√N, counting alone")
    axes.loglog(reach, fitted.signal_over_noise(reach), color=SERIES[0], label="fitted detector")
    axes.loglog(neutrons, [exposure.snr for exposure in exposures], "o", color=SERIES[1], label="measured open beams")
    for exposure, count in zip(exposures, neutrons, strict=True):
        axes.annotate(f"{exposure.seconds:g} s", (count, exposure.snr), (6, -10), textcoords="offset points")
    axes.set_xlabel("detected neutrons N per pixel")
    axes.set_ylabel("signal over noise")
    axes.legend()
    return figure
