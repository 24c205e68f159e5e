"""How fast tiles are textured from exemplars, on one core.

Usage: python benchmarks/texture_rate.py [--tiles 300] [--rounds 5]

The exemplars are of the built-in ground metal, so that no data is needed; the time does not depend on what is on them.
Beside it stands the same growth with one search per patch by a k-d tree on the same strips.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.random import default_rng
from scipy.spatial import KDTree

from beamforge.arrays import Float32
from beamforge.reporting.claims import record
from beamforge.simulation import Sample
from beamforge.simulation.intensities.brushed_metal import BrushedMetal
from beamforge.simulation.intensities.exemplar_texture import ExemplarTexture
from beamforge.simulation.textures.quilting import PatchDictionary, cut_patches, paste
from beamforge.stack import as_stack

COMMAND = "python benchmarks/texture_rate.py"
TILE = 128


def blank(side: int) -> Sample:
    return Sample(np.zeros((0, side, side), np.float32), np.zeros((side, side), np.uint8))


def fitted(count: int) -> ExemplarTexture:
    surface, sample = BrushedMetal(), blank(200)
    images = []
    for seed in range(count):
        parameters = surface.draw(sample, default_rng(seed))
        images.append(as_stack(surface.apply(sample, parameters, default_rng(seed)).image))
    return ExemplarTexture.fit(images, exemplars=count)


def grown_by_tree(exemplar: Float32, step: ExemplarTexture, seed: int) -> Float32:
    """Grow the same size patch by patch, each searched for in a k-d tree of the strips it overlaps at."""
    rng = default_rng(seed)
    patches, places = cut_patches(exemplar, step.patch, step.patches, rng)
    known = PatchDictionary(patches, places, step.overlap)
    trees = {
        (False, True): KDTree(known.left),
        (True, False): KDTree(known.top),
        (True, True): KDTree(np.hstack([known.left, known.top])),
    }
    shift = step.patch - step.overlap
    count = 1 + -(-(TILE + shift // 2 - step.patch) // shift)
    canvas = np.zeros((1, step.patch + (count - 1) * shift, step.patch + (count - 1) * shift), np.float32)
    canvas[:, : step.patch, : step.patch] = patches[0]
    for row in range(count):
        for column in range(count):
            kind = (row > 0, column > 0)
            if not any(kind):
                continue
            y, x = row * shift, column * shift
            here = canvas[:, y : y + step.patch, x : x + step.patch]
            left, top = here[..., : step.overlap].ravel(), here[:, : step.overlap].ravel()
            query = {(False, True): left, (True, False): top, (True, True): np.hstack([left, top])}[kind]
            paste(here, patches[trees[kind].query(query)[1]], step.overlap, *kind)
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiles", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    started = time.perf_counter()
    step, sample = fitted(32), blank(TILE)

    def ours(seed: int) -> None:
        step.apply(sample, step.draw(sample, default_rng(seed)), default_rng(seed))

    def tree(seed: int) -> None:
        grown_by_tree(step.exemplars[seed % len(step.exemplars)], step, seed)

    for compiling in (ours, tree):
        compiling(0)
    rates: dict[str, list[float]] = {"ours": [], "tree": []}
    for _ in range(options.rounds):
        for name, one, count in (("ours", ours, options.tiles), ("tree", tree, max(1, options.tiles // 10))):
            begun = time.process_time()
            for seed in range(count):
                one(seed)
            rates[name].append(count / (time.process_time() - begun))
    median = {name: float(np.median(values)) for name, values in rates.items()}
    print({name: [round(value, 1) for value in values] for name, values in rates.items()})
    record(
        "texture-rate",
        "textured tiles of 128 x 128 px from exemplars, on one core",
        median["ours"],
        interval=(min(rates["ours"]), max(rates["ours"])),
        unit="tiles/s",
        command=COMMAND,
        seconds=time.perf_counter() - started,
        peer={"the same patches searched for one at a time in a k-d tree": round(median["tree"], 1)},
        target=">= 50",
        note=f"median and range of {options.rounds} rounds of {options.tiles} tiles, in processor time; patches of "
        f"{step.patch} px overlapping by {step.overlap} px, {step.patches} searched for each place",
    )


if __name__ == "__main__":
    main()
