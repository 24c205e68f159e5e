"""Real far-field projections of iron, cleaned by a network trained on simulation and by the standard routine.

Usage: python benchmarks/labdct_iron.py --data shared/data [--run runs/labdct_iron] [--seed 1] [--stage train|clean|all]

Nothing of the projections is annotated. The network is trained on simulations in the instrument's geometry over the
background and the noise learnt from the projections themselves. How much either marks is set without them too: the
network's probability is fixed, and the routine's four parameters are tuned for panoptic quality on simulated
projections of the same kind, in standard deviations of the noise. Judged are completeness of the strongest grains that
an exhaustive search finds with either (3 px), that of random orientations beside it, and how many spots go on in the
neighbouring projections. The last stage cleans the projections once more with the network alone, for the time it takes
on two threads; run it by itself on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from itertools import islice
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.random import default_rng
from PIL import Image

from beamforge.classical.diffraction import LaplacianSpots, tune
from beamforge.evaluation.spot_matching import SpotJudgement, Spots, match_spots
from beamforge.evaluation.spot_tracks import track_agreement
from beamforge.grainmapping.completeness import SpotMaps
from beamforge.grainmapping.indexing import strongest_grains
from beamforge.io import open_stack
from beamforge.learning import NetworkConfig, Segmenter, TrainingConfig, train
from beamforge.learning.data import SimulatedDataset
from beamforge.physics.crystals import Crystal
from beamforge.physics.labdct import Instrument
from beamforge.physics.orientations import uniform_orientations
from beamforge.reduction.projections import CHANNEL, contrast, rolling_background
from beamforge.reporting.claims import record
from beamforge.segmentation.clean_spots import CLASSES, NetworkSpotFinder
from beamforge.simulation import Scenario
from beamforge.simulation.degradations.diffraction_background import DiffractionBackground
from beamforge.simulation.degradations.gamma_spots import GammaSpots, GammaSpotsStep
from beamforge.simulation.degradations.projection_contrast import ProjectionContrast
from beamforge.simulation.polycrystals.body import Cylinder
from beamforge.simulation.polycrystals.laguerre import Polycrystal
from beamforge.simulation.scenes.spot_projection import SpotProjection
from beamforge.stack import IGNORE, Channel

COMMAND = "python benchmarks/labdct_iron.py --data shared/data"
IRON = Crystal.named("Fe")
INSTRUMENT = Instrument.named("far-field-iron")
PROBABILITY = 0.5
THREADS = 2
GRAINS = 5
"""As many as an earlier search with simple spots found."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("shared/data"))
    parser.add_argument("--run", type=Path, default=Path("runs/labdct_iron"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=100, help="of each of 4 epochs")
    parser.add_argument("--stage", choices=["train", "clean", "all"], default="all")
    options = parser.parse_args()
    started = time.perf_counter()
    options.run.mkdir(parents=True, exist_ok=True)
    stack = open_stack(options.data / "labdct" / "far_field_iron")
    scenario = training_scenario(stack, options.run, options.seed)
    network = trained(scenario, options.run / f"training-{options.seed}", options.seed, options.steps)
    finder = NetworkSpotFinder(network, probability=PROBABILITY, precision="auto")
    if options.stage == "all":
        judge(stack, finder, scenario, options.run, options.seed, started)
    if options.stage in ("clean", "all"):
        claim_seconds(stack, finder)


def judge(
    stack: xr.DataArray, finder: NetworkSpotFinder, scenario: Scenario, run: Path, seed: int, started: float
) -> None:
    """Clean the projections with either, judge and record it."""
    routine = tuned_routine(scenario, seed)
    masks = cleaned(stack, finder, routine, run)
    # In our frame the sample turns the other way than the parameter file says.
    angles = -180.0 + 3.0 * np.arange(0, 121, 2.0)
    results = {name: judged(found, angles) for name, found in masks.items()}
    results["routine"]["setting"] = routine.model_dump()
    (run / "results.json").write_text(json.dumps(results, indent=1))
    print(json.dumps(results, indent=1))
    claim(results, time.perf_counter() - started)


def training_scenario(stack: xr.DataArray, run: Path, seed: int) -> Scenario:
    """Simulate iron in the instrument's geometry over the background of the projections."""
    if (run / "scenario").is_dir():
        return Scenario.load(run / "scenario")
    grains = Polycrystal(body=Cylinder(diameter=600.0, height=800.0), grains=300, spread=0.5, voxels=10.0)
    scene = SpotProjection(
        polycrystal=grains,
        crystal=IRON,
        instrument=INSTRUMENT,
        volumes=3,
        angles=20,
        seed=seed,
        centred=0.6,
        floor=50.0,
    )
    hits = GammaSpots(rate=150, amplitude_50=100, amplitude_90=400, amplitude_99=2000, size_99=3)
    steps = (
        scene,
        DiffractionBackground.fit(stack, brightness=[0.002, 0.3]),
        GammaSpotsStep(seconds=1.0, level=1.0, spots=hits),
        ProjectionContrast(),
    )
    scenario = Scenario(name="far-field iron", steps=steps, classes=CLASSES, channels=(Channel(mode=CHANNEL),))
    scenario.save(run / "scenario")
    return scenario


def trained(scenario: Scenario, run: Path, seed: int, steps: int) -> Segmenter:
    config = TrainingConfig(
        epochs=4,
        steps_per_epoch=steps,
        batch=8,
        learning_rate=4e-3,
        schedule="one_cycle",
        keep="ema",
        ema_decay=0.97,
        scaling="standard",
        seed=seed,
        threads=1,
    )
    network = NetworkConfig(architecture="dynamic_unet", encoder="resnet10t", options={"depth": 3, "width": 16})
    data, watching = SimulatedDataset(scenario, seed, 400), SimulatedDataset(scenario, seed + 1000, 24)
    return train(network, config, data, watching, run, simulated=True)


def tuned_routine(scenario: Scenario, seed: int) -> LaplacianSpots:
    """Tune on simulated contrasts: its background is in standard deviations of the noise, as they are."""
    samples = [scenario(seed + 2000, number) for number in range(24)]
    truths = [(Spots.of_mask(s.labels == 1), s.labels == IGNORE) for s in samples]

    def judge(masks: list[np.ndarray]) -> float:
        matched = [match_spots(Spots.of_mask(m), true, either) for m, (true, either) in zip(masks, truths, strict=True)]
        return SpotJudgement(matched, [np.zeros(len(true)) for true, _ in truths]).quality

    found = tune([s.image[0] for s in samples], judge, default_rng(3), trials=60, refinements=12)
    print(f"routine tuned on simulation: quality {found.score:.3f}, {found.routine}")
    return found.routine


def cleaned(
    stack: xr.DataArray, finder: NetworkSpotFinder, routine: LaplacianSpots, run: Path
) -> dict[str, list[np.ndarray]]:
    """Clean every projection with either, and draw a part of two."""
    masks: dict[str, list[np.ndarray]] = {"network": [], "routine": []}
    for number, (projection, background) in enumerate(rolling_background(stack)):
        difference = projection - background
        seen = contrast(difference)
        masks["network"].append(finder.mask(difference))
        masks["routine"].append(routine.mask(seen))
        if number in (10, 40):
            draw(seen, {name: found[-1] for name, found in masks.items()}, run / f"projection-{number}.png")
    return masks


def draw(seen: np.ndarray, masks: dict[str, np.ndarray], path: Path) -> None:
    part = (slice(250, 650), slice(550, 950))
    grey = (np.clip((seen[part] + 3.0) / 12.0, 0.0, 1.0) * 255).astype(np.uint8)
    panels = [grey, *((mask[part] * 255).astype(np.uint8) for mask in masks.values())]
    Image.fromarray(np.concatenate(panels, axis=1)).resize((2400, 800), 0).save(path)


def judged(masks: list[np.ndarray], angles: np.ndarray) -> dict[str, object]:
    """Judge the spots of all projections."""
    spots = [Spots.of_mask(mask) for mask in masks]
    tracks = track_agreement([s.centres for s in spots], angles, INSTRUMENT.geometry, radius=6.0)
    maps = SpotMaps.of(masks, angles, IRON, INSTRUMENT)
    grains = strongest_grains(maps, IRON.rotations, default_rng(7), spacing=1.5, candidates=20, grains=GRAINS)
    random = uniform_orientations(2000, default_rng(8))
    chance = maps.completeness(random, np.zeros((2000, 3)), 3.0)[0]
    return {
        "spots for each projection": float(np.mean([len(s) for s in spots])),
        "share of pixels": float(np.mean([m.mean() for m in masks])),
        "agreement": tracks.agreement,
        "agreement by chance": tracks.chance,
        "beyond chance": tracks.beyond_chance,
        "completeness": [g.completeness for g in grains],
        "predicted": [g.predicted for g in grains],
        "positions": [g.position.round(3).tolist() for g in grains],
        "completeness of random orientations": float(chance.mean()),
    }


def claim(results: dict[str, dict[str, object]], seconds: float) -> None:
    def mean(name: str) -> float:
        return float(np.mean(results[name]["completeness"]))

    record(
        "labdct-iron-completeness",
        f"Mean completeness (3 px) of the {GRAINS} strongest grains in 61 real far-field projections of iron, cleaned "
        "by a network trained on simulation in that geometry",
        mean("network"),
        unit="",
        command=COMMAND,
        seconds=seconds,
        peer={
            "standard routine, tuned on simulation": mean("routine"),
            "random orientations, network": results["network"]["completeness of random orientations"],
            "random orientations, routine": results["routine"]["completeness of random orientations"],
            "spots with a partner beyond chance, network": results["network"]["beyond chance"],
            "spots with a partner beyond chance, routine": results["routine"]["beyond chance"],
            "spots for each projection, network": results["network"]["spots for each projection"],
            "spots for each projection, routine": results["routine"]["spots for each projection"],
        },
        note="There is no ground truth. Completeness rises with the share of the detector that is marked, so that of "
        "random orientations stands beside it.",
    )


def claim_seconds(stack: xr.DataArray, finder: NetworkSpotFinder) -> None:
    """Clean all projections on two threads."""
    import torch

    torch.set_num_threads(THREADS)
    # The first projections compile and warm up.
    for projection, background in islice(rolling_background(stack), 2):
        finder.mask(projection - background)
    started, worked = time.perf_counter(), time.process_time()
    for projection, background in rolling_background(stack):
        finder.mask(projection - background)
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    scale = 181 * 2032**2 / stack.size
    record(
        "labdct-clean-seconds",
        f"Time to clean 181 projections of 2032² px by a network on {THREADS} threads of a CPU, rolling median "
        f"included; scaled by pixels from {stack.sizes['channel']} projections of {stack.sizes['y']}²",
        scale * seconds,
        unit="s",
        command=f"{COMMAND} --stage clean",
        seconds=seconds,
        peer="40 s on a Quadro P5000 at 1200² (Fang et al. 2021)",
        note=f"No GPU at hand: the target of 40 s is for one. {scale * processor:.0f} s of processor time. The network "
        f"computes in bfloat16 where the processor does. The machine's load at the end was {os.getloadavg()[0]:.1f}; "
        "alone on it these threads make it 2.",
        target="<= 40",
    )


if __name__ == "__main__":
    main()
