"""How well annotations of grain boundaries agree where two tiles of a micrograph abut: each was drawn by itself.

Usage: python benchmarks/grain_annotation.py --data shared/data

A boundary that is cut by the side of a tile goes on in the next one, one px further. The share of the cut ends that
meet a drawn boundary there within 3 px says how well two drawings of one place agree; between neighbouring columns
inside a tile, which are one drawing, it says what the direction of lines takes away, and against another part of the
same side what chance gives. Tiles that judge networks are left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import label

from beamforge.evaluation.bootstrap import Bootstrap, resampled_weights
from beamforge.reporting.claims import record

COMMAND = "python benchmarks/grain_annotation.py"
TOLERANCE = 3.0  # px
SIDE = 256  # px
Mask = NDArray[np.bool_]
Ends = tuple[int, int]
"""How many cut boundaries meet another one, and how many there are."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("shared/data"))
    started = time.perf_counter()
    tiles = read_tiles(parser.parse_args().data / "micro" / "tbm_grains" / "masks")
    pairs = abutting(tiles)
    met = [agreement(first[:, -1], second[:, 0]) for first, second in pairs]
    inside = [agreement(tile[:, x - 1], tile[:, x]) for pair in pairs for tile in pair for x in range(32, 225, 8)]
    shifts = range(24, SIDE - 23, 8)
    chance = [agreement(a[:, -1], np.roll(b[:, 0], shift)) for a, b in pairs for shift in shifts]
    bootstrap = Bootstrap(resamples=2000, seed=1)
    weights = np.concatenate(list(resampled_weights(len(met), bootstrap.resamples, bootstrap.rng)))
    shares = weights @ np.array(met, np.float64)
    low, high = np.quantile(shares[:, 0] / shares[:, 1], bootstrap.tails)
    columns = np.mean([[turned[:, k].mean() for k in (0, SIDE // 2)] for t in tiles.values() for turned in (t, t.T)], 0)
    peers = {"neighbouring columns of one tile": share(inside), "another part of the side": share(chance)}
    print(f"{share(met):.3f} [{low:.3f}, {high:.3f}] of {sum(n for _, n in met)} ends at {len(met)} seams", peers)
    record(
        "grains-annotation-agreement",
        "share of annotated boundaries, cut by the side of a tile, that the abutting tile's annotation goes on with "
        "within 3 px",
        share(met),
        interval=(float(low), float(high)),
        unit="1",
        command=COMMAND,
        seconds=time.perf_counter() - started,
        peer={name: round(value, 3) for name, value in peers.items()},
        note=f"{sum(n for _, n in met)} ends at {len(met)} seams of tiles that no network is judged on; interval over "
        f"seams; annotators stop short of a tile's side, where {100 * columns[0]:.0f} % of the pixels are drawn and "
        f"{100 * columns[1]:.0f} % in the middle, so that this says less of places far from it",
    )


def read_tiles(folder: Path) -> dict[tuple[int, int, int], Mask]:
    """Read masks by micrograph, first row and first column, but those of every third micrograph, which judge."""
    files = sorted(folder.glob("*.png"))
    places = [tuple(int(part) for part in file.stem.split("-")) for file in files]
    judging = sorted({place[0] for place in places})[2::3]
    return {
        (place[0], place[1], place[2]): np.asarray(Image.open(file).convert("L")) > 127
        for place, file in zip(places, files, strict=True)
        if place[0] not in judging
    }


def abutting(tiles: dict[tuple[int, int, int], Mask]) -> list[tuple[Mask, Mask]]:
    """Pair tiles with the one to the right, and with the one below, both turned so that it is to the right."""
    pairs = []
    for (micrograph, row, column), tile in tiles.items():
        right, below = tiles.get((micrograph, row, column + SIDE)), tiles.get((micrograph, row + SIDE, column))
        pairs += [] if right is None else [(tile, right)]
        pairs += [] if below is None else [(tile.T, below.T)]
    return pairs


def agreement(first: Mask, second: Mask) -> Ends:
    """Count the lines that cut one column and have one in the other column within the tolerance."""
    here, there = crossings(first), crossings(second)
    if not len(here) or not len(there):
        return 0, len(here) + len(there)
    near = np.abs(here[:, None] - there) <= TOLERANCE
    return int(near.any(axis=1).sum() + near.any(axis=0).sum()), len(here) + len(there)


def crossings(column: Mask) -> NDArray[np.float64]:
    """Give the middles of the runs of boundary in a column, in px."""
    runs, count = label(column)
    return np.array([np.flatnonzero(runs == number + 1).mean() for number in range(count)])


def share(ends: Sequence[Ends]) -> float:
    """Divide the sums."""
    return sum(met for met, _ in ends) / sum(count for _, count in ends)


if __name__ == "__main__":
    main()
