"""How fast `segment` labels a stack, beside the same network on the whole image at once, in one run.

Usage: python benchmarks/segment_throughput.py [--side 1924] [--channels 8] [--repeats 3]
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.random import default_rng

from beamforge.learning.config import NetworkConfig
from beamforge.learning.network import create_network
from beamforge.learning.scaling import Scaling
from beamforge.learning.segmenter import ModelDescription, Segmenter
from beamforge.reporting.claims import record
from beamforge.segmentation import segment
from beamforge.stack import Channel, Classes, as_stack

CLASSES = Classes.numbered(5)
HALO = 32


def random_segmenter(channels: tuple[Channel, ...]) -> Segmenter:
    """A U-Net of random weights: the speed does not depend on them."""
    config = NetworkConfig(architecture="unet", encoder="resnet18")
    ones = np.ones(len(channels))
    description = ModelDescription(
        network=config,
        channels=channels,
        classes=CLASSES,
        scaling=Scaling(offset=ones, scale=ones),
        tile=192,
        halo=HALO,
        provenance={},
    )
    return Segmenter(create_network(config, len(channels), len(CLASSES)), description)


def whole(segmenter: Segmenter, image: np.ndarray) -> np.ndarray:
    beyond = [(0, -side % segmenter.multiple) for side in image.shape[1:]]
    padded = np.pad(image, [(0, 0), *beyond], mode="symmetric")
    scores = segmenter.log_probabilities(padded[None])[0]
    return scores.argmax(axis=0).astype(np.uint8)[: image.shape[1], : image.shape[2]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=1924)
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    started = time.perf_counter()
    channels = tuple(Channel(z=float(number)) for number in range(options.channels))
    image = default_rng(0).normal(1, 0.3, (options.channels, options.side, options.side)).astype(np.float32)
    segmenter, stack = random_segmenter(channels), as_stack(image, channels)
    megapixels = image[0].size / 1e6
    segmenter.log_probabilities(image[None, :, :256, :256])
    tiled_seconds, whole_seconds = [], []
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "labels.tif"
        for _ in range(options.repeats):
            tiled_seconds.append(segment(segmenter, stack, out, quicklook=False, progress=False).seconds)
        peak_tiled = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        for _ in range(options.repeats):
            begin = time.perf_counter()
            whole(segmenter, image)
            whole_seconds.append(time.perf_counter() - begin)
    peak_whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rate, peer = (megapixels / min(seconds) for seconds in (tiled_seconds, whole_seconds))
    print(f"{'':14}{'Mpx/s':>8}{'peak MB':>9}")
    print(f"{'tiled':14}{rate:8.2f}{peak_tiled:9.0f}")
    print(f"{'whole image':14}{peer:8.2f}{peak_whole:9.0f}")
    record(
        "segment-throughput",
        f"Labels written by `segment`, U-Net ResNet18, {options.channels} channels, {options.side}² px, tiles blended",
        rate,
        unit="Mpx/s",
        command="python benchmarks/segment_throughput.py",
        seconds=time.perf_counter() - started,
        peer={"the whole image at once, same run": round(peer, 3), "peak MB tiled": round(peak_tiled)}
        | {"peak MB whole": round(peak_whole)},
        note=f"Tiles overlap for a halo of {HALO} px on either side; the whole image is not written to disk.",
    )


if __name__ == "__main__":
    main()
