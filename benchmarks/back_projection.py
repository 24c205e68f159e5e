"""Filtered back-projection and projection of a 768² slice from 550 angles, against scikit-image in the same run.

Usage: python benchmarks/back_projection.py
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
from skimage.transform import iradon, radon

from beamforge.physics.parallel_beam import filtered_back_projection, project_phases
from beamforge.reporting.claims import record

SIDE, ANGLES, REPEATS = 768, 550, 3


def timed(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def main() -> None:
    started = time.perf_counter()
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    phases = (np.hypot(y, x) < 0.4 * SIDE).astype(np.uint8)
    for _ in range(200):
        r, c = rng.uniform(-0.25 * SIDE, 0.25 * SIDE, 2)
        phases[np.hypot(y - r, x - c) < 8] = rng.integers(2, 4)
    angles = np.linspace(0, 180, ANGLES, endpoint=False)
    sinogram = project_phases(phases[None], 3, angles).sum(axis=0)[0]
    filtered_back_projection(sinogram, angles)  # compiles
    pairs = {
        "reconstruct": (
            lambda: filtered_back_projection(sinogram, angles),
            lambda: iradon(sinogram.T, angles, filter_name="ramp"),
        ),
        "project": (
            lambda: project_phases(phases[None], 3, angles),
            lambda: [radon((phases == number).astype(np.float32), angles) for number in (1, 2, 3)],
        ),
    }
    for name, (ours, theirs) in pairs.items():
        times = [(timed(ours), timed(theirs)) for _ in range(REPEATS if name == "reconstruct" else 1)]
        mine, peer = (statistics.median(column) for column in zip(*times, strict=True))
        print(f"{name}: {mine:.2f} s, scikit-image {peer:.2f} s")
        record(
            f"tomography-{name}", f"time to {name} a slice of 768² px with 550 angles, one thread", mine, unit="s",
            command="python benchmarks/back_projection.py", seconds=time.perf_counter() - started,
            peer={"scikit-image": round(peer, 3)}, note="median of repeated runs; three phases when projecting",
            target=f"< {peer:.4g}",
        )  # fmt: skip


if __name__ == "__main__":
    main()
