"""Fitting Johnson curves to 13 classes in 252 channels, 20,000 pixels each, beside scipy's own fits in the same run.

Scipy fits a sample of the 3276 (class, channel) pairs, each with the family it was drawn from; its time for all of
them is the mean times their number. Run: python benchmarks/johnson_fit.py
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from numpy.random import Generator, default_rng
from scipy import stats

from beamforge.stack import as_labels, as_stack
from beamforge.statistics import IntensityModel
from beamforge.statistics.goodness import kolmogorov_smirnov
from beamforge.statistics.johnson import Family, Johnson


def draw_curves(classes: int, channels: int, rng: Generator) -> Johnson:
    """SU and SB curves as the grey values of a measurement have them, from nearly normal to clearly skewed."""
    shape = (classes, channels)
    family = rng.choice([Family.SU, Family.SB], shape)
    gamma, eta = rng.normal(0, 0.6, shape), rng.uniform(1.0, 2.5, shape)
    return Johnson.of(family, gamma, eta, 1000.0, rng.uniform(50, 200, shape))


def measure(classes: int, channels: int, pixels: int, pairs: int) -> dict[str, float]:
    rng = default_rng(1)
    curves = draw_curves(classes, channels, rng)
    image = np.empty((channels, classes, pixels), np.float32)
    for channel in range(channels):
        image[channel] = curves[:, channel].from_normal(rng.standard_normal((classes, pixels)))
    labels = np.repeat(np.arange(classes), pixels).reshape(classes, pixels)
    stack, labels = as_stack(image), as_labels(labels)
    IntensityModel.fit(stack[:2, :, :200], labels[:, :200])  # compile
    begin = time.perf_counter()
    model = IntensityModel.fit(stack, labels)
    ours = time.perf_counter() - begin

    chosen = [(int(rng.integers(classes)), int(rng.integers(channels))) for _ in range(pairs)]
    seconds, ks_peer, ks_ours = [], [], []
    for label, channel in chosen:
        values = np.sort(image[channel, label].astype(np.float64))
        kind = stats.johnsonsu if curves.family[label, channel] == Family.SU else stats.johnsonsb
        begin = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scipy's search passes through invalid parameters
            parameters = kind.fit(values)
            ks_peer.append(float(kolmogorov_smirnov(kind.cdf(values, *parameters))))
        seconds.append(time.perf_counter() - begin)
        ks_ours.append(float(kolmogorov_smirnov(model.marginals.curves[label, channel].cdf(values))))
    peer = float(np.mean(seconds)) * classes * channels
    return {"ours": ours, "peer": peer, "ks_ours": float(np.median(ks_ours)), "ks_peer": float(np.median(ks_peer))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=252)
    parser.add_argument("--pairs", type=int, default=40, help="how many of the pairs scipy fits")
    parser.add_argument("--no-record", action="store_true")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    found = measure(13, arguments.channels, 20_000, arguments.pairs)
    seconds = time.perf_counter() - begin
    speedup = found["peer"] / found["ours"]
    print(f"13 classes × {arguments.channels} channels × 20,000 pixels")
    print(f"{'':12}{'seconds':>12}{'median KS':>12}")
    print(f"{'beamforge':12}{found['ours']:12.2f}{found['ks_ours']:12.5f}")
    print(f"{'scipy':12}{found['peer']:12.2f}{found['ks_peer']:12.5f}")
    print(f"speed-up {speedup:.0f}")
    if arguments.no_record:
        return
    from beamforge.reporting.claims import record

    command = "python benchmarks/johnson_fit.py"
    peer = f"scipy.stats.johnsonsu/johnsonsb.fit, {found['peer']:.0f} s, median KS {found['ks_peer']:.5f}"
    record(
        "johnson-fit-seconds",
        "13 classes × 252 channels × 20,000 pixels fitted with Johnson curves",
        found["ours"],
        unit="s",
        command=command,
        seconds=seconds,
        peer=peer,
        note=f"median KS distance {found['ks_ours']:.5f}",
    )
    record(
        "johnson-fit-speedup",
        "Johnson fits by quantiles against scipy's fits in the same run",
        speedup,
        unit="×",
        command=command,
        seconds=seconds,
        peer=peer,
        note=f"median KS distance {found['ks_ours']:.5f}; scipy timed on {arguments.pairs} of the fits",
    )


if __name__ == "__main__":
    main()
