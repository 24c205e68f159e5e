"""Values a second of `johnson_field` on one core, beside scipy's johnsonsu.rvs in the same run.

Tiles of 192² px, 13 classes, with independent pixels and with correlation between channels and in space as in a
neutron measurement. The best of several repetitions counts, for both alike. Run: python benchmarks/johnson_field.py
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.random import default_rng
from scipy import stats

from beamforge.simulation import Sample
from beamforge.simulation.intensities.johnson_field import JohnsonField
from beamforge.simulation.scenes.checkerboard import Checkerboard
from beamforge.stack import Channel, Classes
from beamforge.statistics import Correlation, IntensityModel, JohnsonMarginals
from beamforge.statistics.correlation import ChannelMatrices

CLASSES = 13


def law(channels: int) -> JohnsonMarginals:
    """SU curves whose range holds all but one in 100,000 values."""
    shape = (CLASSES, channels)
    rng = default_rng(1)
    wide = np.full(shape, 1e9)
    numbers = {"gamma": rng.normal(0, 0.5, shape), "eta": rng.uniform(1.2, 2.5, shape)}
    common = {"family": (("SU",) * channels,) * CLASSES, "epsilon": np.full(shape, 1e3), "lambda_": np.full(shape, 1e2)}
    zero = np.zeros(shape)
    bare = JohnsonMarginals(counts=np.full(shape, 20_000), low=-wide, high=wide, ks=zero, w1=zero, **numbers, **common)
    ends = bare.curves.from_normal(np.array([-4.3, 4.3]))
    return bare.model_copy(update={"low": ends[..., 0], "high": ends[..., 1]})


def correlated(channels: int) -> Correlation:
    """Noise over about a pixel, drift over 8 and 32 px, channels that share a frame."""
    place = np.arange(-3, 4)
    kernel = np.exp(-0.5 * (place[:, None] ** 2 + place[None, :] ** 2) / 0.6**2)
    matrices = np.broadcast_to(0.5 + 0.5 * np.eye(channels), (CLASSES, channels, channels))
    return Correlation(
        kind="both",
        noise=ChannelMatrices.nearest(matrices),
        drift=ChannelMatrices.nearest(matrices),
        kernel=kernel / np.sqrt((kernel**2).sum()),
        drift_sigmas=[8.0, 32.0],
        drift_weights=[0.3, 0.7],
        drift_share=np.full((CLASSES, channels), 0.2),
    )


def rate(run: Callable[[int], np.ndarray], repetitions: int) -> float:
    """Million values a second, the best of several runs after one that compiles and fills tables."""
    run(0)
    best = 0.0
    for repetition in range(repetitions):
        begin = time.perf_counter()
        count = run(repetition).size
        best = max(best, count / (time.perf_counter() - begin) / 1e6)
    return best


def field(channels: int, correlation: Correlation, psf_sigma: float = 0.0) -> Callable[[int], np.ndarray]:
    model = IntensityModel(
        classes=Classes.numbered(CLASSES),
        channels=tuple(Channel(z=float(i)) for i in range(channels)),
        marginals=law(channels),
        correlation=correlation,
        invalid_counts=np.zeros((CLASSES, channels)),
    )
    step = JohnsonField(model=model, psf_sigma=psf_sigma)
    board = Checkerboard(classes=CLASSES, tile=192)
    scene = board.apply(Sample.empty(), board.draw(Sample.empty(), default_rng(3)), default_rng(3))
    return lambda seed: step.apply(scene, {"psf_sigma": psf_sigma}, default_rng(seed)).image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=84)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--no-record", action="store_true")
    arguments = parser.parse_args()
    channels, repetitions = arguments.channels, arguments.repetitions
    begin = time.perf_counter()
    peer = rate(lambda seed: stats.johnsonsu.rvs(0.3, 1.9, size=2_000_000, random_state=seed), 5)
    rates = {
        "johnson_field, independent": rate(field(channels, Correlation.none(CLASSES, channels)), repetitions),
        "johnson_field, correlated": rate(field(channels, correlated(channels)), repetitions),
        "independent, blurred edges": rate(field(channels, Correlation.none(CLASSES, channels), 1.0), repetitions),
        "correlated, blurred edges": rate(field(channels, correlated(channels), 1.0), repetitions),
        "correlated, 2 channels": rate(field(2, correlated(2)), repetitions),
    }
    seconds = time.perf_counter() - begin
    print(f"tiles of {channels} × 192 × 192, million values a second on one core")
    for name, value in {"scipy johnsonsu.rvs": peer, **rates}.items():
        print(f"{name:30}{value:10.1f}")
    if arguments.no_record:
        return
    from beamforge.reporting.claims import record

    claims = {
        "johnson-field-rate": ("johnson_field, independent values", "johnson_field, independent"),
        "johnson-field-correlated-rate": (
            "johnson_field, values correlated between channels and in space",
            "johnson_field, correlated",
        ),
    }
    for name, (claim, key) in claims.items():
        record(
            name,
            f"{claim}, on one core",
            rates[key],
            unit="million values/s",
            command="python benchmarks/johnson_field.py",
            seconds=seconds,
            peer=f"scipy.stats.johnsonsu.rvs, {peer:.1f} million values/s",
            note=f"{channels} channels, tiles of 192² px, {CLASSES} classes",
        )


if __name__ == "__main__":
    main()
