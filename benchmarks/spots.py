"""White spots: the lecture's test crop by a network that saw simulations only, and real open beams.

Usage: python benchmarks/spots.py --data shared/data [--run runs/spots] [--part crop]

Thresholds are chosen on the annotated parts of the radiograph that are not the test crop. On the open beams, spots of
known place are injected into the real frame. Their real spots are not annotated, so false alarms are counted on the
frame mirrored at its background (what lies above it then lies below): there the real white spots are dark, and what is
marked is noise, or a dark blemish of the screen that the other exposure shows at the same place. Counting noise is
slightly skewed to the bright side, which this count does not see; beside it stands the count on simulated open beams of
the same brightness without any spot.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import tifffile
from numpy.random import default_rng
from scipy.ndimage import binary_dilation, median_filter

from beamforge.classical.spots import (
    MedianThreshold,
    NetworkSpots,
    PixelSpots,
    RobustSpots,
    SpotDetector,
    fill_spots,
    find_spots,
)
from beamforge.classical.spots.detectors import grown
from beamforge.evaluation.spots import Damage, SpotScores
from beamforge.learning import NetworkConfig, Segmenter, TrainingConfig, train
from beamforge.learning.data import MeasuredTiles, StoredDataset
from beamforge.physics.detector import Detector
from beamforge.physics.gamma_spots import GammaSpots
from beamforge.reporting.claims import record
from beamforge.simulation.dataset import write_dataset
from beamforge.simulation.scenarios.spots import CHANNEL, CLASSES, hand_marks, spot_scenario
from beamforge.stack import as_labels, as_stack
from beamforge.statistics.local_noise import NoiseModel, compressed, local_background, local_contrast

COMMAND = "python benchmarks/spots.py"
LECTURE = {"U-Net of the lecture": 0.400, "1-NN of the lecture": 0.382, "5x5 median, tuned on the test image": 0.498}
ROBUST_GRID = [(high, low) for high in (4.0, 5.0, 6.0, 8.0) for low in (3.0, 3.5, 4.0, 5.0) if low <= high]
NETWORK = NetworkConfig(architecture="residual")
TRAINING = TrainingConfig(
    epochs=10,
    steps_per_epoch=50,
    batch=8,
    loss="cross_entropy",
    learning_rate=4e-3,
    schedule="one_cycle",
    keep="ema",
    ema_decay=0.97,
    scaling="standard",
    precision="fp32",
    threads=1,
    device="cpu",
)
SEEDS = (0, 1, 2)
TILES = 1200
LOOKS = "twice"
PROBABILITIES = np.arange(0.1, 0.65, 0.05)
MEDIAN_THRESHOLDS = np.arange(4.0, 30.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("shared/data"))
    parser.add_argument("--run", type=Path, default=Path("runs/spots"))
    parser.add_argument("--part", choices=["crop", "open-beams", "both"], default="both")
    options = parser.parse_args()
    if options.part != "crop":
        judge_open_beams(options.data / "neutron" / "step_wedge")
    if options.part != "open-beams":
        started = time.perf_counter()
        crops = np.load(options.data / "neutron" / "spots_recovered" / "spots_recovered.npz")
        networks = {f"network, seed {seed}": trained(options.run, seed) for seed in SEEDS}
        networks["same network, taught by an annotated part"] = taught(options.run, crops)
        judge_crop(chosen(networks, crops), crops, started)


def trained(run: Path, seed: int) -> Segmenter:
    """Train on simulated tiles, which all seeds share, or read the finished training."""
    tiles = write_dataset(spot_scenario(96, hand_marks()), run / "tiles.zarr", TILES, 1000)
    config = TRAINING.model_copy(update={"seed": seed})
    return train(NETWORK, config, StoredDataset(tiles.path), {}, run / f"seed {seed}", simulated=True)


def taught(run: Path, crops: np.lib.npyio.NpzFile) -> Segmenter:
    """Train the same network on the annotation of the larger development part: what annotations like it allow."""
    image, mask = annotated(crops, "valid")
    contrast = compressed(local_contrast(image, NoiseModel.fit([image])))
    tiles = MeasuredTiles(as_stack(contrast, [CHANNEL]), as_labels(mask.astype(np.uint8), CLASSES), 96, 1, 4000)
    config = TRAINING.model_copy(update={"epochs": 5})
    return train(NETWORK, config, tiles, {}, run / "taught", simulated=False)


def annotated(crops: np.lib.npyio.NpzFile, part: str) -> tuple[np.ndarray, np.ndarray]:
    return crops[f"{part}_image"].astype(np.float32), crops[f"{part}_mask"] > 127


def chosen(networks: dict[str, Segmenter], crops: np.lib.npyio.NpzFile) -> dict[str, SpotDetector]:
    """Choose each detector's setting by its mean F1 on the two development parts."""
    parts = [annotated(crops, part) for part in ("train", "valid")]
    tables: list[dict[tuple[str, tuple[float, ...]], float]] = []
    for image, mask in parts:
        noise = NoiseModel.fit([image])
        contrast = local_contrast(image, noise)
        median = image - median_filter(image, 5, mode="mirror")
        marks: dict[tuple[str, tuple[float, ...]], np.ndarray] = {}
        for name, network in networks.items():
            probabilities = NetworkSpots(network).probabilities(image, noise)
            marks |= {(name, (p,)): probabilities >= p for p in PROBABILITIES}
        marks |= {("robust", (h, low)): grown(contrast > h, contrast > low, 16) for h, low in ROBUST_GRID}
        marks |= {("median", (t,)): median > t for t in MEDIAN_THRESHOLDS}
        tables.append({setting: SpotScores.of(marked, mask).f1 for setting, marked in marks.items()})
    best: dict[str, SpotDetector] = {}
    for name in (*networks, "robust", "median"):
        scores = {key: (tables[0][key] + tables[1][key]) / 2 for key in tables[0] if key[0] == name}
        setting = max(scores, key=lambda key: scores[key])
        print(f"development F1 {scores[setting]:.3f} with {setting}: {[round(t[setting], 3) for t in tables]}")
        best[name] = detector_of(name, setting[1], networks)
    # 1000 DN of the lecture's frames are 64 grey levels of the recovered figures.
    best["lecture's median"] = MedianThreshold(threshold=64.0)
    for method in ("nearest", "forest"):
        best[method] = PixelSpots.fit(*parts[1], method, default_rng(0))
    return best


def detector_of(name: str, numbers: tuple[float, ...], networks: dict[str, Segmenter]) -> SpotDetector:
    if name in networks:
        return NetworkSpots(networks[name], float(numbers[0]))
    if name == "robust":
        return RobustSpots(high=numbers[0], low=numbers[1])
    return MedianThreshold(threshold=float(numbers[0]), size=5, both_sides=False)


def judge_crop(detectors: dict[str, SpotDetector], crops: np.lib.npyio.NpzFile, started: float) -> None:
    """Judge once on the lecture's test crop."""
    truth = np.asarray(crops["test_gt_453"]) > 127
    image = crops["test_image_453"][:, : truth.shape[1]].astype(np.float32)
    found = {}
    for name, detector in detectors.items():
        mask = find_spots(image, detector)
        scores, cleaned = SpotScores.of(mask, truth), fill_spots(image, mask)[0]
        damage = Damage.of(image, cleaned, truth)
        found[name] = scores
        print(
            f"{name:24} P {scores.precision:.3f} R {scores.recall:.3f} F1 {scores.f1:.3f} IoU {scores.iou:.3f} "
            f"spots {scores.found:.3f} changed {damage.changed:.5f} rms {damage.rms:.3f}"
        )
    seconds = time.perf_counter() - started
    of_seed = [found.pop(f"network, seed {seed}").f1 for seed in SEEDS]
    f1 = float(np.mean(of_seed))
    robust = found["robust"]
    others = {f"{name}, here": round(scores.f1, 3) for name, scores in found.items()}
    note = "settings chosen on the other annotated parts; image and annotation recovered from figures at 0.885 scale"
    record(
        "spots-f1",
        "pixel F1 of white spots on the lecture's test crop by a network trained on simulation only",
        f1,
        interval=(min(of_seed), max(of_seed)),
        unit="1",
        command=COMMAND,
        seconds=seconds,
        peer={**LECTURE, **others},
        target=">= 0.60",
        note=f"mean and range of {len(SEEDS)} seeds; {note}; judged {LOOKS} in all (0.453 before)",
    )
    record(
        "spots-analytic-f1",
        "pixel F1 of white spots on the lecture's test crop by local noise and hysteresis",
        robust.f1,
        unit="1",
        command=COMMAND,
        seconds=seconds,
        peer={**LECTURE, "network, here": round(f1, 3), **{k: v for k, v in others.items() if k != "robust, here"}},
        note=f"precision {robust.precision:.3f}, recall {robust.recall:.3f}, IoU {robust.iou:.3f}; {note}",
    )


def injected(image: np.ndarray, noise: NoiseModel, taken: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, ...]:
    """Add single pixels of 8 sigma and more, away from what was marked before; give image, places and sigmas."""
    rng = default_rng(seed)
    free = ~taken
    margin = 12
    free[:margin] = free[-margin:] = free[:, :margin] = free[:, -margin:] = False
    # A grid of 13 px keeps the rings of injected spots apart.
    rows, columns = np.nonzero(free & lattice(image.shape, 13))
    pick = rng.permutation(len(rows))[:count]
    rows, columns = rows[pick], columns[pick]
    deviation = noise.deviation(local_background(image))[rows, columns]
    amplitudes = GammaSpots().amplitudes(np.linspace(0.0, 1.0, 100_001)[1:-1])
    first = np.searchsorted(amplitudes, 8.0 * deviation)
    strength = amplitudes[rng.integers(first, len(amplitudes))] / deviation
    spotted = image.copy()
    spotted[rows, columns] += (strength * deviation).astype(np.float32)
    return spotted, rows, columns, strength


def false_alarms_besides(mask: np.ndarray, known: np.ndarray) -> float:
    """Count the regions that touch nothing known, per pixel of the image."""
    return SpotScores.of(mask, known).false_alarms * (~known).sum() / mask.size


def lattice(shape: tuple[int, ...], step: int) -> np.ndarray:
    grid = np.zeros(shape, bool)
    grid[::step, ::step] = True
    return grid


def judge_open_beams(folder: Path) -> None:
    """Inject spots into the real open beams and count false alarms on their mirrored frames."""
    started = time.perf_counter()
    detector = RobustSpots()
    found: dict[str, list[float]] = {"recall": [], "faint": [], "simulated": []}
    mirrored = []
    for seconds in (20, 60):
        image = tifffile.imread(folder / f"exp{seconds}s_ob.tif").astype(np.float32)
        noise, background = NoiseModel.fit([image]), local_background(image)
        marked = detector.detect(image, noise)
        spotted, rows, columns, strength = injected(image, noise, marked, 4000, seconds)
        hit = find_spots(spotted, detector)[rows, columns]
        mirrored.append(find_spots(2 * background - image, detector))
        simulated = find_spots(simulated_open_beam(background, seconds), detector)
        found["recall"].append(float(hit.mean()))
        found["faint"].append(float(hit[strength < 10.0].mean()))
        found["simulated"].append(SpotScores.of(simulated, np.zeros_like(simulated)).false_alarms)
        print(f"{seconds} s: {len(hit)} injected, {marked.mean():.5f} of the raw frame is marked")
    around = [binary_dilation(mask, np.ones((3, 3))) for mask in mirrored]
    nothing = np.zeros_like(mirrored[0])
    whole = [SpotScores.of(mask, nothing).false_alarms for mask in mirrored]
    fleeting = [false_alarms_besides(mask, other) for mask, other in zip(mirrored, reversed(around), strict=True)]
    print(found, "mirrored:", whole, "without fixed blemishes:", fleeting)
    elapsed = time.perf_counter() - started
    record(
        "spots-injected-recall",
        "spots above 8 sigma injected into the real 20 s and 60 s open beams that are found (the lower of both)",
        min(found["recall"]),
        unit="1",
        command=COMMAND,
        seconds=elapsed,
        target=">= 0.95",
        note=f"robust detector, high 6, low 3.5; of those of 8 to 10 sigma {min(found['faint']):.4f} are found; single "
        "pixels with amplitudes as measured, sigma from the frame itself",
    )
    record(
        "spots-false-alarms",
        "false alarms per pixel on the same open beams (the higher of both)",
        max(fleeting),
        unit="1/px",
        command=COMMAND,
        seconds=elapsed,
        peer={"simulated open beams without spots": max(found["simulated"])},
        target="< 1e-5",
        note="marked regions on the frame mirrored at its background, where the real white spots are dark; dark "
        f"blemishes of the screen, which both exposures show, left out: with them {whole[0]:.2g} at 20 s and "
        f"{whole[1]:.2g} at 60 s. They were left out after a first look at these frames, which counted them",
    )


def simulated_open_beam(background: np.ndarray, seconds: int) -> np.ndarray:
    """Count a frame as bright as the real one, without spots."""
    detector = Detector(gamma=GammaSpots(rate=0.0))
    expected = np.maximum(background - detector.offset, 0.0) / detector.gain
    return detector.expose(expected.astype(np.float32), float(seconds), default_rng(seconds)).astype(np.float32)


if __name__ == "__main__":
    main()
