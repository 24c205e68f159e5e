"""Whether frames simulated with a fitted detector look like the real ones.

Usage: python benchmarks/detector.py [--data FOLDER]

The detector is fitted to the right half of the step wedge's 20 s and 60 s open beams and dark images and judged on the
left half, which the fit has not seen: of that half the simulation is given the smooth beam only. The pixels' response
is another one in each part of the chip, so noise is compared without it (difference of the two exposures) and, fitted
and compared on the whole frames, with it. The same is done with the open beam and dark image of a second instrument,
of which there is one each.
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import default_rng

from beamforge.io import open_stack
from beamforge.physics.detector_fit import fit_detector
from beamforge.physics.fitted_detector import FittedDetector
from beamforge.physics.frame_statistics import Residuals, beam_residuals, dark_residuals, lag_covariance, smooth_level
from beamforge.reporting.claims import record

COMMAND = "python benchmarks/detector.py"
SMOOTH = 15.0
LEVELS = (0.5, 0.9, 0.99)
TIMES = (20.0, 60.0)
_LIT = 820
"""Rows of the step wedge's frames above the edge of the beam's aperture."""


@dataclass(frozen=True)
class Look:
    """Standard deviation and correlation at the lags 1 and 4 px (mean of both axes), and peaks of spots."""

    spread: float
    lag1: float
    lag4: float
    peaks: np.ndarray
    spots: int

    @classmethod
    def of(cls, parts: Residuals) -> Look:
        """Look at a frame."""
        table = lag_covariance(parts, parts, 4)
        by_lag = [(table[4, 4 + lag] + table[4 + lag, 4]) / 2.0 / table[4, 4] for lag in (1, 4)]
        peaks = parts.spots.peaks
        return cls(float(table[4, 4] ** 0.5), *by_lag, np.quantile(peaks, LEVELS), len(peaks))

    @classmethod
    def of_difference(cls, first: Residuals, second: Residuals) -> Look:
        """Look at the difference of two frames, in which their common pattern is not."""
        valid = first.valid & second.valid
        values = np.where(valid, first.values - second.values, np.float32(0.0))
        return cls.of(Residuals(first.level, values, valid, first.spots))


def simulated(fitted: FittedDetector, frames: list, rng: np.random.Generator) -> list:
    """Open beams of the same smooth level as the real ones, with one response."""
    levels = [smooth_level(frame - np.float32(fitted.detector.offset), SMOOTH) for frame in frames]
    response = fitted.response.draw(frames[0].shape, rng)
    neutrons = [np.maximum(level, 0.0) / np.float32(fitted.detector.gain) for level in levels]
    return [fitted.detector.expose(n, t, rng, response=response) for n, t in zip(neutrons, TIMES, strict=False)]


def compare(name: str, real: Look, made: Look) -> dict[str, float]:
    """Print both and give the differences."""
    for kind, look in (("measured", real), ("simulated", made)):
        peaks = " ".join(f"{p:7.0f}" for p in look.peaks)
        figures = f"{look.spread:9.4f} {look.lag1:7.3f} {look.lag4:7.3f}"
        print(f"{name:42} {kind:10} {figures}  {peaks} {look.spots:6d}")
    return {
        "sd": made.spread / real.spread - 1.0,
        "lag1": made.lag1 - real.lag1,
        "lag4": made.lag4 - real.lag4,
        **{f"peak{level:g}": p / q - 1.0 for level, p, q in zip(LEVELS, made.peaks, real.peaks, strict=True)},
        "count": made.spots / real.spots - 1.0,
    }


def look_at(name: str, fitted: FittedDetector, beams: list, darks: list) -> dict[str, dict[str, float]]:
    """Compare frames with simulated ones."""
    rng = default_rng(11)
    offset = fitted.detector.offset
    made = simulated(fitted, beams, rng)
    real_parts, made_parts = ([beam_residuals(f, offset, SMOOTH) for f in frames] for frames in (beams, made))
    found = {}
    if len(beams) > 1:
        noise = [Look.of_difference(*parts) for parts in (real_parts, made_parts)]
        found["noise"] = compare(f"{name}, noise of open beams", *noise)
    for seconds, real, again in zip(TIMES, real_parts, made_parts, strict=False):
        found[f"frame {seconds:g}"] = compare(f"{name}, open beam {seconds:g} s", Look.of(real), Look.of(again))
    for seconds, dark in zip(TIMES, darks, strict=False):
        again = fitted.dark(dark.shape, seconds, rng)
        looks = [Look.of(dark_residuals(frame, SMOOTH)) for frame in (dark, again)]
        found[f"dark {seconds:g}"] = compare(f"{name}, dark {seconds:g} s", *looks)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("BEAMFORGE_DATA", "../shared/data")))
    parser.add_argument("--no-record", action="store_true")
    arguments = parser.parse_args()
    neutron = arguments.data / "neutron"
    started = time.perf_counter()

    def read(path: str) -> np.ndarray:
        frame = np.asarray(open_stack(neutron / path).values[0])
        return frame[:_LIT] if path.startswith("step_wedge") else frame

    print(f"{'':53} {'sd':>9} {'lag 1':>7} {'lag 4':>7}  peaks at 50, 90, 99 %  spots")
    beams = [read(f"step_wedge/exp{t:g}s_ob.tif") for t in TIMES]
    darks = [read(f"step_wedge/exp{t:g}s_dc.tif") for t in TIMES]
    half = beams[0].shape[1] // 2
    left, right = np.s_[:, :half], np.s_[:, half:]
    times = (TIMES, TIMES, default_rng(1))
    held_out = look_at(
        "wedge, unseen half",
        fit_detector([f[right] for f in beams], [f[right] for f in darks], *times),
        [f[left] for f in beams],
        [f[left] for f in darks],
    )
    whole = look_at("wedge, whole", fit_detector(beams, darks, *times), beams, darks)
    beam, dark = read("qbi2024/ob_0000.tif"), read("qbi2024/dc_0000.tif")
    half = beam.shape[1] // 2
    # The exposure time is not recorded there; it only scales the rates.
    second = fit_detector([beam[:, half:]], [dark[:, half:]], (TIMES[0],), (TIMES[0],), default_rng(1))
    other = look_at("second instrument, unseen half", second, [beam[:, :half]], [dark[:, :half]])
    seconds = time.perf_counter() - started
    if not arguments.no_record:
        write_claims(held_out, whole, other, seconds)


def write_claims(held_out: dict, whole: dict, other: dict, seconds: float) -> None:
    groups = {"unseen half": held_out, "whole frames": whole, "second instrument, unseen half": other}

    def of(keys: tuple[str, ...], kinds: tuple[str, ...], enough: str = "") -> dict[str, float]:
        return {
            f"{group}, {kind}, {key}": round(found[kind][key], 3)
            for group, found in groups.items()
            for kind in found
            for key in keys
            if kind in kinds and key in found[kind] and not (enough and group.startswith(enough))
        }

    noise = ("noise", "dark 20", "dark 60")
    everything = ("noise", "frame 20", "frame 60", "dark 20", "dark 60")
    spots = ("frame 20", "frame 60")
    shared = {"command": COMMAND, "seconds": seconds}

    def worst(values: dict[str, float]) -> float:
        return max(values.values(), key=abs)

    def claim(identifier: str, text: str, target: str, chosen: dict, listing: dict) -> None:
        note = "; ".join(f"{name} {value:+.3f}" for name, value in listing.items())
        record(identifier, text, abs(worst(chosen)), unit="1", target=target, note=note, **shared)

    claim(
        "detector-sd",
        "relative difference of the noise's standard deviation, simulated to measured: the worst of open-beam noise "
        "and dark images",
        "<= 0.05",
        of(("sd",), noise),
        of(("sd",), everything),
    )
    claim(
        "detector-lag1",
        "difference of the noise's correlation at 1 and 4 px, simulated to measured: the worst of open-beam noise and "
        "dark images",
        "<= 0.03",
        of(("lag1", "lag4"), noise),
        of(("lag1", "lag4"), everything),
    )
    claim(
        "detector-spots",
        "relative difference of the peaks of white spots above 8 sigma at 50, 90 and 99 %, simulated to measured: the "
        "worst of the wedge's open beams",
        "<= 0.20",
        of(tuple(f"peak{level:g}" for level in LEVELS), spots, "second"),
        of((*(f"peak{level:g}" for level in LEVELS), "count"), (*spots, "dark 20", "dark 60")),
    )


if __name__ == "__main__":
    main()
