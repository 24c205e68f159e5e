"""Simulated grain images a second on two cores, and Perlin noise beside perlin-numpy in the same run.

Grain images are of 512² px: Laguerre tessellation, relaxed, spline boundaries, tones, texture, stripes, boundary
contrast, blur and noise, with the default intervals. Perlin noise is of 512² px, lattice of 64 px, four octaves.
Run: pip install perlin-numpy; python benchmarks/grain_images.py
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from numpy.random import default_rng

from beamforge.reporting.claims import record
from beamforge.simulation import Scenario
from beamforge.simulation.intensities.grain_greylevels import GrainGreylevels
from beamforge.simulation.perlin import perlin
from beamforge.simulation.scenes.voronoi_grains import VoronoiGrains
from beamforge.stack import Channel, Classes

COMMAND = "python benchmarks/grain_images.py"
SIDE, IMAGES, WORKERS, ROUNDS = 512, 200, 2, 3
SCENARIO = Scenario(
    steps=(VoronoiGrains(tile=SIDE), GrainGreylevels()),
    classes=Classes(names=("grain", "boundary")),
    channels=(Channel(mode="grey level"),),
)


def main() -> None:
    grain_rate()
    perlin_speedup()


def simulate(first: int) -> float:
    """Make every second image and give the processor's seconds for it; the first call of a process compiles."""
    begin = time.process_time()
    for index in range(first, IMAGES, WORKERS):
        SCENARIO(1, index)
    return time.process_time() - begin


def grain_rate() -> None:
    started = time.perf_counter()
    rates, busy = [], []
    with ProcessPoolExecutor(WORKERS) as pool:
        list(pool.map(simulate, [IMAGES - 2] * WORKERS))
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            busy.append(sum(pool.map(simulate, range(WORKERS))))
            rates.append(IMAGES / (time.perf_counter() - begin))
    print(f"grain images of {SIDE}² a second on {WORKERS} cores: {[round(rate, 1) for rate in rates]}")
    record(
        "grain-image-rate",
        f"simulated grain images of {SIDE}² px a second on {WORKERS} cores",
        max(rates),
        unit="1/s",
        command=COMMAND,
        seconds=time.perf_counter() - started,
        target=">= 40",
        note=f"best of {ROUNDS} rounds of {IMAGES} images, the worst {min(rates):.1f}; an image takes "
        f"{1e3 * min(busy) / IMAGES:.1f} ms of processor time, whatever else the machine does",
    )


def perlin_speedup() -> None:
    from perlin_numpy import generate_fractal_noise_2d

    started = time.perf_counter()
    ours, theirs = [], []
    perlin((SIDE, SIDE), 64.0, default_rng(0), octaves=4)
    np.random.seed(0)  # noqa: NPY002 - the peer draws from the global state
    for repetition in range(15):
        begin = time.perf_counter()
        perlin((SIDE, SIDE), 64.0, default_rng(repetition), octaves=4)
        ours.append(time.perf_counter() - begin)
        begin = time.perf_counter()
        generate_fractal_noise_2d((SIDE, SIDE), (8, 8), octaves=4)
        theirs.append(time.perf_counter() - begin)
    ratios = np.sort(np.array(theirs) / np.array(ours))
    print(f"Perlin: {1e3 * min(ours):.2f} ms, perlin-numpy {1e3 * min(theirs):.1f} ms, ratio {np.median(ratios):.1f}")
    record(
        "perlin-speedup",
        f"speed of Perlin noise over perlin-numpy, {SIDE}² px, 4 octaves, the same lattice",
        float(np.median(ratios)),
        interval=(float(ratios[0]), float(ratios[-1])),
        unit="1",
        command=COMMAND,
        seconds=time.perf_counter() - started,
        peer={"perlin-numpy, ms": round(1e3 * min(theirs), 2), "beamforge, ms": round(1e3 * min(ours), 2)},
        target=">= 5",
        note="median over 15 pairs taken in turn, the interval from the least to the largest ratio; beamforge computes "
        "in float32 with the gradients of a lattice of any wavelength, perlin-numpy in float64 with periods that "
        "divide the size",
    )


if __name__ == "__main__":
    main()
